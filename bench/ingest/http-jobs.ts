import { theCompany } from '../support/company.js';
import { cloudEventBodies, type Body } from './cloud-events.js';
import { openConnection } from './connection.js';
import type { Job, Ready } from './job.js';

type BatchesJob = Extract<Job, { readonly kind: 'batches' }>;
type PostsJob = Extract<Job, { readonly kind: 'posts' }>;
type SinglesJob = Extract<Job, { readonly kind: 'singles' }>;

/** Bodies that each client sends in turn: enough that the service does not see the same text every time. */
const BATCH_BODIES = 8;
const SINGLE_BODIES = 64;

export async function batchesJob(job: BatchesJob): Promise<Ready> {
  const bodies = perClient(job.clients, (seed) => cloudEventBodies(theCompany, 'batch', BATCH_BODIES, job.batchEvents, seed));
  return posting({ ...job, contentType: 'application/cloudevents-batch+json', bodies });
}

export async function singlesJob(job: SinglesJob): Promise<Ready> {
  const bodies = perClient(job.clients, (seed) => cloudEventBodies(theCompany, 'single', SINGLE_BODIES, 1, seed));
  return posting({ ...job, contentType: 'application/cloudevents+json', bodies });
}

export async function postsJob({ url, headers, clients, requests, bodies, units, expected }: PostsJob): Promise<Ready> {
  const target = new URL(url);
  const connections = await Promise.all(
    Array.from({ length: clients }, () => openConnection(target, { ...headers, 'content-type': 'application/json' })),
  );
  const ready = bodies.map((body) => Buffer.from(body));
  let taken = 0;
  return {
    clients,
    async next(client) {
      const number = taken++;
      const body = ready[number % ready.length];
      const connection = connections[client];
      if (body === undefined || connection === undefined || number >= requests) return 0;
      const answer = await connection.post(body);
      if (!answer.includes(expected)) throw new Error(`Not an answer: ${answer.slice(0, 500)}`);
      return units;
    },
    end: async () => connections.forEach((connection) => connection.close()),
  };
}

const perClient = (clients: number, make: (seed: number) => readonly Body[]): readonly (readonly Body[])[] =>
  Array.from({ length: clients }, (_, client) => make(client + 1));

interface Posting {
  readonly url: string;
  readonly token: string;
  readonly clients: number;
  readonly events: number;
  readonly firstEvent: number;
  readonly contentType: string;
  /** By client: its body is free again once it has its answer. */
  readonly bodies: readonly (readonly Body[])[];
}

async function posting({ url, token, clients, events, firstEvent, contentType, bodies }: Posting): Promise<Ready> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
  const target = new URL('/v1/audit-events', url);
  const connections = await Promise.all(bodies.map(() => openConnection(target, headers)));
  let taken = 0;
  const turns = bodies.map(() => 0);
  return {
    clients,
    async next(client) {
      const own = bodies[client] ?? [];
      const turn = turns[client] ?? 0;
      const body = own[turn % own.length];
      const connection = connections[client];
      if (body === undefined || connection === undefined || taken >= events) return 0;
      turns[client] = turn + 1;
      const first = firstEvent + taken;
      taken += body.events;
      const answer = await connection.post(body.fill(first, Date.now()));
      if (!answer.startsWith(`{"stored":${body.events},`)) throw new Error(`Not every event was stored: ${answer.slice(0, 500)}`);
      return body.events;
    },
    end: async () => connections.forEach((connection) => connection.close()),
  };
}
