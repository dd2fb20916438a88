import { VERSION } from '../../lib/version.js';
import type { Look } from './cluster.js';

/** What people read once the cluster is up. `raftkv` is how they call us from where they are. */
export function welcome(looks: readonly Look[], folder: string, raftkv: string, seconds: number): string {
  const rows = looks.map(({ child, status }) => {
    const role = status !== null && status.leader === status.header.memberId ? 'leader' : 'follower';
    const url = `http://127.0.0.1:${child.place.clientPort}`;
    return `  ${child.place.name}  ${url.padEnd(22)}  ${role.padEnd(8)}  term ${status?.raftTerm ?? '?'}  pid ${child.pid}`;
  });
  const first = looks[0]?.child.place.clientPort ?? 0;
  const other = looks.at(-1)?.child.place.clientPort ?? 0;
  const all = looks.map(({ child }) => `127.0.0.1:${child.place.clientPort}`).join();
  const to = first === 2379 || looks.length > 1 ? '' : `--endpoints 127.0.0.1:${first} `;
  const leader = looks.find(({ status }) => status !== null && status.leader === status.header.memberId);
  const kill =
    looks.length > 1 && leader !== undefined
      ? [`  kill -9 ${leader.child.pid}`.padEnd(64) + '# the leader; the others go on without it']
      : [];
  return [
    `raftkv ${VERSION}  ${looks.length} member${looks.length > 1 ? 's' : ''} in ${folder}  (Ctrl-C stops, data kept; --fresh wipes)`,
    ...rows,
    `  logs in ${folder}/n*.log    ready in ${seconds.toFixed(1)} s`,
    '',
    'Try in another terminal:',
    ...(looks.length > 1 ? [`  export RAFTKV_ENDPOINTS=${all}`.padEnd(64) + '# any of them may answer'] : []),
    `  ${raftkv} ${to}put greeting "hello, raft"`,
    `  ${raftkv} ${to}get greeting`,
    `  ${raftkv} ${to}status`,
    `  ETCDCTL_API=3 etcdctl --endpoints 127.0.0.1:${other} get greeting`,
    ...kill,
    '',
  ].join('\n');
}
