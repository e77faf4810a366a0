import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that posts to one address over and over, one request after the other. */
export interface Connection {
  /** The answer's text, whatever the status. `body` may be written over once it has come. */
  post(body: Buffer): Promise<string>;
  close(): void;
}

/**
 * Speaks as much of HTTP/1.1 (RFC 9112) as it takes to post and to read an answer with a length. Node's own client costs the sender as
 * much as the service's answer costs the service, and both share the processors of one machine.
 */
export async function openConnection(url: URL, headers: Readonly<Record<string, string>>): Promise<Connection> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}content-length: `;
  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        readAnswer(socket, resolve, reject);
        socket.cork();
        socket.write(`${head}${body.length}\r\n\r\n`, 'latin1');
        socket.write(body);
        socket.uncork();
      }),
    close: () => socket.destroy(),
  };
}

const END_OF_HEAD = '\r\n\r\n';

function readAnswer(socket: Socket, resolve: (text: string) => void, reject: (error: Error) => void): void {
  let answer: Buffer = Buffer.alloc(0);
  const done = (): void => {
    socket.off('data', read).off('error', fail).off('close', closed);
  };
  const fail = (error: Error): void => {
    done();
    reject(error);
  };
  const closed = (): void => fail(new Error('The service closed the connection before it had answered.'));
  const read = (chunk: Buffer): void => {
    answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
    const endOfHead = answer.indexOf(END_OF_HEAD);
    if (endOfHead === -1) return;
    const length = /^content-length: *(\d+)\r?$/im.exec(answer.toString('latin1', 0, endOfHead + 2))?.[1];
    if (length === undefined) return fail(new Error('The answer has no Content-Length.'));
    const start = endOfHead + END_OF_HEAD.length;
    if (answer.length < start + Number(length)) return;
    done();
    resolve(answer.toString('utf8', start));
  };
  socket.on('data', read).on('error', fail).on('close', closed);
}
