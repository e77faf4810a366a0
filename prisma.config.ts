import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

// Prisma's commands want to download a native schema engine. This one drives the same engine, compiled to
// WebAssembly, from npm: every command works offline. Set the variable to use another binary.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= fileURLToPath(new URL('prisma/schema-engine.mjs', import.meta.url));

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://no-database-url-is-set.invalid' },
});
