import { describe, expect, it } from '@jest/globals';
import { composeWithBoth, readSubgraphs } from '../../scripts/schema/composition.js';
import { paths } from '../../scripts/schema/files.js';
import { factsOf } from '../../scripts/schema/supergraph-facts.js';

const subgraphs = readSubgraphs(paths.supergraph);
const compositions = composeWithBoth(subgraphs);

describe('the supergraph of supergraph.yaml', () => {
  it.each(compositions)('composes with $composer', ({ errors, supergraph }) => {
    expect(errors).toEqual([]);
    expect(factsOf(supergraph).length).toBeGreaterThan(0);
  });

  it('is the same whoever composes it', () => {
    const [first, second] = compositions.map(({ supergraph }) => factsOf(supergraph));

    expect(second).toEqual(first);
  });

  it('is refused by both when two subgraphs give one field two types', () => {
    const contradicted = subgraphs.map((subgraph) => ({
      ...subgraph,
      sdl: `${subgraph.sdl}\nextend type Project { size: ${subgraph.name === 'governance' ? 'Int' : 'String'} @shareable }`,
    }));
    const withShareable = contradicted.map((subgraph) => ({
      ...subgraph,
      sdl: subgraph.sdl.includes('"@shareable"') ? subgraph.sdl : subgraph.sdl.replace('import: ["@key"', 'import: ["@key", "@shareable"'),
    }));

    const problems = composeWithBoth(withShareable).map(({ errors }) => errors.join('\n'));

    expect(problems).toEqual([expect.stringContaining('Project.size'), expect.stringContaining('Project.size')]);
  });
});
