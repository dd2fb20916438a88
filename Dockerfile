# One image, one process: a raftkv member. Built in two stages, so that neither the compiler nor the sources are in it.

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && rm dist/.tsbuildinfo && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    RAFTKV_DATA_DIR=/var/lib/raftkv \
    RAFTKV_LISTEN_CLIENT_URLS=http://0.0.0.0:2379 \
    RAFTKV_LISTEN_PEER_URLS=http://0.0.0.0:2380
WORKDIR /opt/raftkv
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY proto proto
RUN ln -s /opt/raftkv/bin/raftkv /usr/local/bin/raftkv \
    && install -d -o node -g node -m 0700 /var/lib/raftkv
USER node
VOLUME /var/lib/raftkv
EXPOSE 2379 2380
# Asks the member itself, needs no quorum and no shell: a cluster that is just coming up is healthy member by member.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "/opt/raftkv/dist/healthcheck.js"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=32", "/opt/raftkv/bin/raftkv"]
CMD ["server"]
