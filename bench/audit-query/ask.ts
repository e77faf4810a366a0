import { Agent, request } from 'node:http';
import { z } from 'zod';
import { theCompany } from '../support/company.js';
import type { Product } from '../support/product.js';
import type { Question } from './queries.js';

/** Asks the service, one question at a time over one connection that stays open. */
export interface Asker {
  /** @throws Error when the service answers with anything but events, or that it took too long. */
  ask(question: Question): Promise<Answered>;
  close(): void;
}

export interface Answered {
  /** From the first byte of the question to the last of the answer. */
  readonly milliseconds: number;
  /** How many events it holds; null when the service gave up. */
  readonly events: number | null;
}

const Answer = z.union([
  z
    .object({ data: z.object({ found: z.object({ edges: z.array(z.unknown()) }) }), errors: z.undefined().optional() })
    .transform(({ data }) => data.found.edges.length),
  z.object({ data: z.object({ found: z.object({ id: z.string() }) }), errors: z.undefined().optional() }).transform(() => 1),
  z.object({ errors: z.tuple([z.object({ extensions: z.object({ code: z.literal('UNAVAILABLE') }) })]) }).transform(() => null),
]);

/** Asks as somebody who may read everything in the organization. */
export async function askAuditor(product: Product): Promise<Asker> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const token = await product.token({ userId: theCompany.auditor, organizationId: theCompany.id, scopes: ['audit:read'] });
  const url = new URL('/graphql', product.url);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    async ask(question) {
      const body = Buffer.from(JSON.stringify(question));
      const askedAt = performance.now();
      const text = await new Promise<string>((resolve, reject) => {
        const sent = request(url, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks).toString()));
          response.on('error', reject);
        });
        sent.on('error', reject);
        sent.end(body);
      });
      const milliseconds = performance.now() - askedAt;
      const answer = Answer.safeParse(JSON.parse(text));
      if (!answer.success) throw new Error(`The service did not answer as it should: ${text.slice(0, 1_000)}`);
      return { milliseconds, events: answer.data };
    },
    close: () => agent.destroy(),
  };
}
