import type { Viewer } from '../kernel/index.js';
import { parseBody, viewerOfRequest, type HttpServer } from '../platform/http-server.js';
import { DirectoryPush, type PushOutcome } from './push.js';

/** 50,000 rows of some 600 bytes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** `PUT /v1/directory`: what the platform says of its namespaces, members, agents, service accounts and users. See docs/agent-platform.md. */
export function directoryRoutes(server: HttpServer, push: (viewer: Viewer, push: DirectoryPush) => Promise<PushOutcome>): void {
  server.put('/v1/directory', { bodyLimit: MAX_BODY_BYTES }, async (request) =>
    push(viewerOfRequest(request), parseBody(DirectoryPush, request.body)),
  );
}
