#!/usr/bin/env node
// A drop-in for Prisma's native schema engine, for authoring migrations offline: it answers the `prisma` command's
// JSON-RPC on stdin and stdout with Prisma's own engine compiled to WebAssembly (@prisma/schema-engine-wasm, to be kept
// at the version that the installed `prisma` names in @prisma/engines-version) over @prisma/adapter-pg.
// The product does not use it: it applies the same migration files with its own runner.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

// The engine looks for this global when it panics.
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };

const options = readOptions(process.argv.slice(2));
if (options.command) await runCommand(options.command);
else serve();

function readOptions(args) {
  const found = { schemaFiles: [], url: undefined, command: undefined };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--datamodels') found.schemaFiles.push(args[++i]);
    else if (args[i] === '--datasource') found.url = JSON.parse(args[++i]).url;
    else if (args[i] === 'cli') found.command = args[++i];
    else if (args[i].startsWith('--')) i++;
  }
  return found;
}

/** The engine's one-shot commands: the `prisma` command reads the outcome from the log and the exit code. */
async function runCommand(command) {
  console.error(JSON.stringify({ level: 'INFO', fields: { message: command } }));
  try {
    if (command === 'create-database') await createDatabase(options.url);
    else if (command === 'drop-database') await dropDatabase(options.url);
    else await withClient(options.url, (client) => client.query('SELECT 1'));
    process.exit(0);
  } catch (error) {
    const codes = { '3D000': 'P1003', ECONNREFUSED: 'P1001' };
    const fields = { message: error.message, error_code: codes[error.code] };
    console.error(JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields }));
    process.exit(1);
  }
}

/** Answers requests one after the other, in the order in which they come. */
function serve() {
  let engine;
  let answered = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    answered = answered.then(async () => {
      const { id, method, params } = JSON.parse(line);
      if (!method) return;
      try {
        send({ id, result: await answer(method, params) });
      } catch (error) {
        const message = error.message ?? String(error);
        send({ id, error: { code: 4466, message, data: { is_panic: false, message, error_code: error.code } } });
      }
    });
  });
  lines.on('close', () => answered.finally(() => process.exit(0)));

  async function answer(method, params) {
    if (method === 'createDatabase') return { databaseName: await createDatabase(options.url) };
    engine ??= await loadEngine(schemaFilesOf(params));
    const result = await engine[method === 'getDatabaseVersion' ? 'version' : method](params ?? undefined);
    // The native engine prints a diff itself; the command shows what it is told to print.
    if (method === 'diff' && typeof result?.stdout === 'string') {
      send({ id: 'print', method: 'print', params: { content: result.stdout } });
    }
    return result ?? {};
  }
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/** `[path, contents]` of the Prisma schema: named on the command line, or (for `migrate diff`) inside the request. */
function schemaFilesOf(params) {
  if (options.schemaFiles.length > 0) return options.schemaFiles.map((file) => [file, readFileSync(file, 'utf8')]);
  const named = [params?.from, params?.to, params?.schema].flatMap((part) => part?.files ?? []);
  return named.map((file) => [file.path, file.content]);
}

async function loadEngine(schemaFiles) {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bindings = await import(join(folder, 'schema_engine_bg.js'));
  const wasm = readFileSync(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();

  const url = options.url ?? 'postgresql://no-database.invalid';
  const { provider, adapterName } = new PrismaPg({ connectionString: url });
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider,
    adapterName,
    connect: () => connect(url),
    connectToShadowDb: () => connectToShadow(url),
  });
  const datamodels = schemaFiles.length > 0 ? schemaFiles : undefined;
  return bindings.SchemaEngine.new({ datamodels }, () => {}, factory);
}

/** adapter-pg 7.10 as a migration driver, with two of its defects mended. */
async function connect(url) {
  const adapter = await new PrismaPg({ connectionString: url }).connect();
  reportCharColumns(adapter);
  // Its own executeScript splits at every `;` and so breaks function bodies. Sent whole, Postgres does the splitting.
  adapter.executeScript = async (sql) => {
    try {
      await adapter.underlyingDriver().query(sql);
    } catch (error) {
      adapter.onError(error);
    }
  };
  return adapter;
}

/** It does not know the type `"char"` (oid 18), which the engine's catalogue queries return: pass it off as `bpchar`. */
function reportCharColumns(adapter) {
  const charOid = 18;
  const bpcharOid = 1042;
  const charColumns = new WeakMap();
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.performIO = async (query) => {
    const result = await performIO(query);
    for (const [index, field] of (result.fields ?? []).entries()) {
      if (field.dataTypeID !== charOid) continue;
      field.dataTypeID = bpcharOid;
      charColumns.set(query, [...(charColumns.get(query) ?? []), index]);
    }
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of charColumns.get(query) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
}

/**
 * A database of its own for replaying migrations. adapter-pg's connectToShadowDb would open the main database, since pg
 * lets a connection string win over a database name.
 */
async function connectToShadow(url) {
  const shadow = new URL(url);
  shadow.pathname = `/prisma_migrate_shadow_db_${randomUUID()}`;
  await createDatabase(shadow.href);
  const adapter = await connect(shadow.href);
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await dropDatabase(shadow.href);
  };
  return adapter;
}

async function createDatabase(url) {
  const name = databaseOf(url);
  await withClient(maintenanceUrl(url), async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  });
  return name;
}

function dropDatabase(url) {
  return withClient(maintenanceUrl(url), (client) =>
    client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(databaseOf(url))} WITH (FORCE)`),
  );
}

async function withClient(url, use) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function databaseOf(url) {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function maintenanceUrl(url) {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  return maintenance.href;
}
