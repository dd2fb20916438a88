/*
 * Asks the member in this container whether it lives, without a quorum: /livez on its first client URL. Exit code 0 or 1.
 * Run by the image's HEALTHCHECK, so that neither curl nor a shell is needed.
 */
import { get } from 'node:http';

const listenUrl = (process.env['RAFTKV_LISTEN_CLIENT_URLS'] ?? 'http://127.0.0.1:2379').split(',')[0] ?? '';
const url = new URL('/livez', listenUrl);
if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';

get(url, { timeout: 2000 }, (response) => {
  response.resume();
  end(response.statusCode === 200, `${url.href} answers ${response.statusCode}`);
})
  .on('timeout', () => end(false, `${url.href} does not answer within 2 s`))
  .on('error', (error) => end(false, `${url.href}: ${error.message}`));

function end(isAlive: boolean, message: string): void {
  console.log(message);
  process.exit(isAlive ? 0 : 1);
}
