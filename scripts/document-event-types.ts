// `npm run document`: docs/event-types.md, from the catalogue in src/audit. A test fails when it is out of date.
import { writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { EVENT_TYPES, type EventType, type Family } from '../src/audit/catalogue.js';
import { payloadSchemaOf } from '../src/audit/present-event-type.js';
import { PAYLOAD_TYPES } from '../src/audit/present-payload.js';

export const PAGE = fileURLToPath(new URL('../docs/event-types.md', import.meta.url));

interface Member {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly format?: string | undefined;
  readonly items?: Member | undefined;
  readonly anyOf?: readonly Member[] | undefined;
}
const Member: z.ZodType<Member> = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  format: z.string().optional(),
  items: z.lazy(() => Member).optional(),
  anyOf: z.lazy(() => z.array(Member)).optional(),
});
const PayloadSchema = z.object({ properties: z.record(z.string(), Member), required: z.array(z.string()).default([]) });

/** The text of docs/event-types.md. */
export function eventTypesPage(): string {
  const families = [...new Set(EVENT_TYPES.map(({ family }) => family))];
  return `# Event types

Made by \`npm run document\` from the catalogue (\`src/audit/catalogue/\`). \`Query.agentAuditEventTypes\` gives the same, with a JSON Schema
of each payload.

- An event of a type that is not here is stored as sent and shown as \`AgentUnknownPayload\`, all of its \`data\` in \`extensions\`. Its
  receipt says so (\`unknownType\`, in GraphQL \`isUnknownType\`). All of its data counts as content.
- Members beyond those listed are kept and shown in \`extensions\`.
- **Kept as**: the retention class of the event. Members that hold *content* (prompts, answers and results) have the class \`CONTENT\`,
  which may be dropped before. *Details* are free text or values that are none of these.

## Reported by the agent platform

${table(EVENT_TYPES.filter(({ isOwn }) => !isOwn))}

## Recorded by this service alone

Reported by somebody else, such an event is rejected.

${table(EVENT_TYPES.filter(({ isOwn }) => isOwn))}

## Payloads

${families.map(payloadSection).join('\n\n')}
`;
}

function table(types: readonly EventType[]): string {
  const rows = types.map(
    ({ name, description, scopes, category, family, retentionClass, since }) =>
      `| \`${name}\` | ${description} | ${category} | ${scopes.join(', ')} | ${retentionClass} | \`${PAYLOAD_TYPES[family]}\` | ${since} |`,
  );
  return ['| type | what happened | category | where | kept as | payload | since |', '|---|---|---|---|---|---|---|', ...rows].join('\n');
}

function payloadSection(family: Family): string {
  const types = EVENT_TYPES.filter((type) => type.family === family);
  const [first] = types;
  if (first === undefined) throw new Error(`No event type is of the family ${family}.`);
  const { properties, required } = PayloadSchema.parse(payloadSchemaOf(first));
  const rows = Object.entries(properties).map(
    ([name, member]) => `| \`${name}\` | ${typeName(member)} | ${required.includes(name) ? 'yes' : ''} | ${heldIn(first, name)} |`,
  );
  const of = types.map(({ name }) => `\`${name}\``).join(', ');
  return [`### ${PAYLOAD_TYPES[family]}`, '', `${of}.`, '', '| in `data` | | required | holds |', '|---|---|---|---|', ...rows].join('\n');
}

function typeName(member: Member): string {
  if (member.anyOf !== undefined) return typeName(member.anyOf.find(({ type }) => type !== 'null') ?? {});
  if (member.enum !== undefined) return member.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (member.items !== undefined) return `list of ${typeName(member.items)}`;
  if (member.format === 'date-time') return 'time, UTC';
  const [type = 'any JSON'] = [member.type ?? []].flat().filter((name) => name !== 'null');
  return type;
}

const heldIn = ({ content, details }: EventType, name: string): string =>
  content.has(name) ? 'content' : details.has(name) ? 'details' : '';

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(PAGE, eventTypesPage());
