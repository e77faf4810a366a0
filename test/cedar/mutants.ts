/** Bugs that somebody could make: `[what is wrong, file of src/cedar, text, what stands in its place]`. */
export const MUTANTS: readonly (readonly [what: string, file: string, text: string, replacement: string])[] = [
  ['the largest integer overflows', 'long.ts', 'value > MAX', 'value >= MAX'],
  ['the smallest integer overflows', 'long.ts', 'value < MIN', 'value <= MIN'],
  ['an integer has two forms', 'long.ts', 'return Number.isSafeInteger(double) ? double : value;', 'return value;'],
  ['sums are rounded', 'long.ts', 'if (Number.isSafeInteger(sum)) return sum;', 'return sum;'],
  ['differences are rounded', 'long.ts', 'if (Number.isSafeInteger(difference)) return difference;', 'return difference;'],
  ['products are rounded', 'long.ts', 'if (Number.isSafeInteger(product)) return product + 0;', 'return product + 0;'],
  ['quotients are rounded down', 'long.ts', '(value - (value % by)) / by + 0', 'Math.floor(value / by)'],
  ['the time of day is negative before 1970', 'long.ts', 'remainder < 0 ? remainder + by : remainder + 0', 'remainder'],

  ['entities of different types are the same', 'equality.ts', 'left.key === right.key', 'left.id === right.id'],
  ['a set equals a larger one', 'equality.ts', 'left.members.length === right.members.length && ', ''],
  ['a record equals one with more fields', 'equality.ts', 'if (left.size !== right.size) return false;', ''],
  ['a range equals another with the same address', 'equality.ts', ' && left.prefix === right.prefix', ''],
  [
    'a moment equals a duration',
    'equality.ts',
    'return left.kind === right.kind && left.amount',
    "return 'amount' in right && left.amount",
  ],
  ['small sets hold members twice', 'equality.ts', 'if (!isOneOf(members, checked(value))) members.push(value);', 'members.push(value);'],
  ['large sets hold members twice', 'equality.ts', 'if (index.has(key)) continue;', ''],
  ['a text passes for a member that is none', 'equality.ts', "value.startsWith('\\u0000') ? `\\u0000s${value}` : value", 'value'],
  [
    'containsAny asks for all',
    'equality.ts',
    'if (holds(set, other)) return true;\n  return false;',
    'if (!holds(set, other)) return false;\n  return true;',
  ],

  ['pieces of a pattern overlap', 'pattern.ts', 'return place <= to;', 'return true;'],
  ['pieces of a pattern come in any order', 'pattern.ts', 'text.indexOf(piece, place)', 'text.indexOf(piece)'],
  ['a pattern without wildcards fits longer texts', 'pattern.ts', 'text === first', 'text.startsWith(first)'],
  ['a pattern need not fit to the end', 'pattern.ts', ' && text.endsWith(last)', ''],

  ['only parents count', 'entities.ts', 'for (const next of uids) {', 'for (const next of [uid]) {'],
  ['long lines end early', 'entities.ts', 'if (keys !== null) keys.add(parent.key);\n', 'if (keys !== null) continue;\n'],
  ['what a condition came to is kept for the next request', 'condition.ts', 'subject.stamp === frame.stamp', 'subject.stamp > 0'],
  ['requests are taken for each other', 'frame.ts', 'lastStamp += 1;', 'lastStamp = 1;'],
  [
    'the principal is looked up as the resource',
    'frame.ts',
    'if (uid === principal.uid) return principal;',
    'if (uid === principal.uid) return resource;',
  ],

  ['an error on the left is passed over', 'closures.ts', 'verdict === goOn ? verdictOf(right, frame) : verdict', 'verdict === goOn || verdict > HOLDS ? verdictOf(right, frame) : verdict'], // prettier-ignore
  [
    'if takes the other branch',
    'closures.ts',
    'if (verdict === HOLDS) return consequent(frame);',
    'if (verdict === FAILS) return consequent(frame);',
  ],
  ['if between conditions takes the other branch', 'closures.ts', 'if (verdict === HOLDS) return verdictOf(consequent, frame);', 'if (verdict === FAILS) return verdictOf(consequent, frame);'], // prettier-ignore
  ['a failed operand is unequal to a literal', 'closures.ts', 'return isFailed(value) ? value.verdict : FAILS;', 'return FAILS;'],
  ['an error on the right comes first', 'closures.ts', 'if (isFailed(one)) return one.verdict;\n    const other = right(frame);', 'const other = right(frame);\n    if (isFailed(other)) return other.verdict;\n    if (isFailed(one)) return one.verdict;'], // prettier-ignore
  ['is … in forgets the type', 'closures.ts', 'if (value.type !== entityType) return FAILS;', ''],
  ['is … in forgets the container', 'closures.ts', 'if (container === null) return HOLDS;', 'return HOLDS;'],
  [
    'a text is like its beginning',
    'closures.ts',
    "typeof value === 'string' ? verdictOfTruth(fits(value)) : TYPE.verdict",
    'verdictOfTruth(fits(String(value)))',
  ],

  [
    'moments are compared with durations',
    'operators.ts',
    "if (left.kind === 'datetime' && right.kind === 'datetime')",
    "if ('amount' in left && 'amount' in right)",
  ],
  [
    'durations cannot be compared',
    'operators.ts',
    "if (left.kind === 'duration' && right.kind === 'duration')",
    "if (left.kind === 'duration' && right.kind === 'decimal')",
  ],
  ['<= is <', 'operators.ts', 'one <= other', 'one < other'],
  ['an overflow is a large number', 'operators.ts', 'calculate(left, right) ?? OVERFLOW', 'calculate(left, right) ?? 0'],
  ['the smallest integer has a negative', 'operators.ts', 'subtract(0, value) ?? OVERFLOW', 'subtract(0, value) ?? value'],
  [
    'a text can be searched for a member',
    'operators.ts',
    'verdictOfTruth(holds(set, value)) : TYPE.verdict',
    'verdictOfTruth(holds(set, value)) : FAILS',
  ],
  ['containsAll is turned round', 'operators.ts', 'holdsAll(set, others)', 'holdsAll(others, set)'],
  ['the opposite of an error holds', 'operators.ts', 'return verdict === FAILS ? HOLDS : verdict;', 'return HOLDS;'],

  ['an entity that does not exist cannot be asked what it has', 'dereference.ts', 'if (next === NO_ATTRIBUTE || next === NO_ENTITY) return FAILS;', 'if (next === NO_ATTRIBUTE) return FAILS;'], // prettier-ignore
  ['only the first name of a path is looked for', 'dereference.ts', 'reached = next;', 'return HOLDS;'],
  ['tags are attributes', 'dereference.ts', 'node.tags.get(name)', 'node.attributes.get(name)'],
  ['the name of a tag may be anything', 'dereference.ts', "if (!isEntity(subject) || typeof name !== 'string') return TYPE.verdict;", 'if (!isEntity(subject)) return TYPE.verdict;'], // prettier-ignore
  ['entities lie in sets of anything', 'dereference.ts', '!container.members.every(isEntity)', '!container.members.some(isEntity)'],
  [
    'what is no entity lies in nothing',
    'dereference.ts',
    'if (!isEntity(subject)) return TYPE.verdict;\n  const keys',
    'if (!isEntity(subject)) return FAILS;\n  const keys',
  ],

  [
    'one of several must fail is read as all',
    'compile-policy.ts',
    "expression.op === '||' && wanted === FAILS",
    "expression.op === '&&' && wanted === FAILS",
  ],
  [
    'one of several must hold is read as all',
    'compile-policy.ts',
    "expression.op === '&&' && wanted === HOLDS",
    "expression.op === '||' && wanted === HOLDS",
  ],
  ['negations are lost', 'compile-policy.ts', 'wanted === HOLDS ? FAILS : HOLDS)', 'wanted)'],
  ['unless is when', 'compile-policy.ts', "kind === 'when' ? HOLDS : FAILS", 'HOLDS'],
  ['an explanation takes errors for failures', 'compile-policy.ts', 'isError(verdict) ? verdict : FAILS', 'FAILS'],
  ['the resource is not asked for', 'compile-policy.ts', ', ...parties.resource]', ']'],

  ['policies are found by the entity alone', 'scope-index.ts', 'for (const { key } of line.uids)', 'for (const { key } of [uid])'],
  ['policies without a name in their scope are not found', 'scope-index.ts', 'const found = [unnamed];', 'const found: Posting[] = [];'],
  ['policies are not found by type', 'scope-index.ts', 'hasType.get(uid.type)', 'hasType.get(uid.id)'],
  ['policies are not found by equality', 'scope-index.ts', 'is.get(uid.key)', 'liesIn.get(uid.key)'],
  ['is … in is found by equality only', 'read-policy.ts', "{ party, relation: 'hasType', key: entityType } : { party, relation: 'liesIn', key: uid.key }", "{ party, relation: 'hasType', key: entityType } : { party, relation: 'is', key: uid.key }"], // prettier-ignore

  [
    'what the conditions of a set came to is kept for the next request',
    'memory.ts',
    'known >>> VERDICT_BITS === run.number',
    'known !== 0',
  ],
  ['errors are failures', 'memory.ts', 'isError(verdict) ? verdict : FAILS', 'FAILS'],
  ['only the first requirement counts', 'memory.ts', '? verdict : FAILS;\n  }', '? verdict : FAILS;\n    return HOLDS;\n  }'],
  ['errors are cut short', 'memory.ts', 'const VERDICT_BITS = 4;', 'const VERDICT_BITS = 2;'],
  ['all requirements must hold', 'row-writer.ts', '(wanted === HOLDS ? 1 : 0)', '1'],
  ['conditions are taken for each other', 'row-writer.ts', 'numbers.get(condition) ?? numbers.size', 'numbers.get(condition) ?? Math.max(0, numbers.size - 1)'], // prettier-ignore

  [
    'a permit ends the decision',
    'policies.ts',
    'let hasFailedForbid = false;\n  for',
    'let hasFailedForbid = false;\n  if (isAnyPermitted(candidates, run)) return DECISIONS.allowed;\n  for',
  ],
  ['nobody hears of a forbid that failed', 'policies.ts', 'if (isError(verdict)) hasFailedForbid = true;', ''],
  ['permits beat forbids', 'policies.ts', 'permits.length > 0 && forbids.length === 0', 'permits.length > 0'],
  ['a denial has permits for reasons', 'policies.ts', 'isAllowed ? permits : forbids', 'permits'],

  [
    'a text is taken for what it spells',
    'expression.ts',
    "if (typeof value === 'string') return JSON.stringify(value);",
    "if (typeof value === 'string') return value;",
  ],
  ['all long conditions are the same', 'expression.ts', "`#${hash('sha256', key, 'base64')}`", "'#'"],
  ['all attributes are the same', 'expression.ts', '`(. ${form.left.key} ${JSON.stringify(form.attribute)})`', '`(. ${form.left.key})`'],
  ['all patterns are the same', 'expression.ts', '`(like ${form.left.key} ${JSON.stringify(form.pattern)})`', '`(like ${form.left.key})`'],
  ['all paths are the same', 'expression.ts', '`(has ${form.left.key} ${JSON.stringify(form.path)})`', '`(has ${form.left.key})`'],
  ['the container does not tell two apart', 'expression.ts', " ${form.container?.key ?? ''})`", ')`'],
  ['entities are looked up before there is a request', 'expression.ts', "    case 'getTag':\n    case 'hasTag':\n      return false;", "    case 'getTag':\n      return false;\n    case 'hasTag':\n      return form.left.isConstant;"], // prettier-ignore

  ['> is >=', 'read-expression.ts', "['>', operands((left, right) => not(binary('<=', left, right)))]", "['>', operands((left, right) => not(binary('<', left, right)))]"], // prettier-ignore
  ['!= is ==', 'read-expression.ts', "['!=', operands((left, right) => not(binary('==', left, right)))]", "['!=', operands((left, right) => binary('==', left, right))]"], // prettier-ignore
  [
    'adjacent literals of a pattern are wildcards apart',
    'read-expression.ts',
    'else pieces.push(`${pieces.pop()}${',
    'else pieces.push(`${',
  ],

  ['prefixes begin with zeros', 'extensions/ip.ts', '^(?:0|[1-9][0-9]{0,2})$', '^[0-9]{1,3}$'],
  ['addresses begin with zeros', 'extensions/ip.ts', ' || String(Number(part)) !== part', ''],
  [':: stands for nothing', 'extensions/ip.ts', 'missing < 1', 'missing < 0'],
  ['a range of one version lies in one of the other', 'extensions/ip.ts', 'inner.version === outer.version && ', ''],
  ['a range that overlaps lies within', 'extensions/ip.ts', 'outer.first <= inner.first && ', ''],
  ['loopback looks at the address only', 'extensions/ip.ts', "inOneOf('127.0.0.0/8', '::1')", "inOneOf('126.0.0.0/7', '::/127')"],
  ['decimals have five places', 'extensions/decimal.ts', '{1,4}', '{1,5}'],
  ['a small negative decimal is positive', 'extensions/decimal.ts', "BigInt(`${whole}${places.padEnd(4, '0')}`) * (sign === '-' ? -1n : 1n)", "BigInt(`${sign}${whole}`) * 10_000n + BigInt(places.padEnd(4, '0'))"], // prettier-ignore
  ['offsets are added', 'extensions/datetime.ts', '+ millisecond - offset', '+ millisecond + offset'],
  ['February has 30 days', 'extensions/datetime.ts', 'getUTCMonth() !== month - 1', 'getUTCMonth() < month - 1'],
  [
    'the first century is the twentieth',
    'extensions/datetime.ts',
    'Date.UTC(year + 400, month - 1, day) - CYCLE',
    'Date.UTC(year, month - 1, day)',
  ],
  ['there is a second 60', 'extensions/datetime.ts', 'second > 59', 'second > 60'],
  ['a duration may be empty', 'extensions/datetime.ts', '(?=[0-9])', ''],
  ['minutes are months', 'extensions/datetime.ts', '[DAY, HOUR, MINUTE, SECOND, 1]', '[DAY, HOUR, SECOND, SECOND, 1]'],
  [
    'a duration since is turned round',
    'extensions/datetime.ts',
    'subtract(later.amount, earlier.amount)',
    'subtract(earlier.amount, later.amount)',
  ],
  [
    'functions take more than they need',
    'extensions/functions.ts',
    'if (values.length !== 1) return ARITY;',
    'if (values.length < 1) return ARITY;',
  ],
  ['what a function refuses is of the wrong type', 'extensions/functions.ts', '(apply(value) ?? EXTENSION)', '(apply(value) ?? TYPE)'],
];
