import type { DemoGroup, DemoProject } from '../demo/organization.js';
import { catalogueFor, type Catalogue } from './catalogue.js';
import type { PlatformContext } from './viewer.js';

interface Reference {
  readonly id: string;
}

const from = (context: PlatformContext): Catalogue => catalogueFor(context.viewer());

const byId = <T extends Reference>(items: readonly T[], id: string): T | null => items.find((item) => item.id === id) ?? null;

const byPath = <T extends { readonly fullPath: string }>(items: readonly T[]): T[] =>
  [...items].sort((left, right) => (left.fullPath < right.fullPath ? -1 : 1));

/** Resolvers of `schema.graphql` beside this file. */
export const resolvers = {
  Query: {
    currentUser: (_root: unknown, _args: unknown, context: PlatformContext) => byId(from(context).users, context.viewer().userId),
    user: (_root: unknown, { id }: Reference, context: PlatformContext) => byId(from(context).users, id),
    project: (_root: unknown, { fullPath }: { fullPath: string }, context: PlatformContext) =>
      from(context).projects.find((project) => project.fullPath === fullPath) ?? null,
    projects: (_root: unknown, _args: unknown, context: PlatformContext) => byPath(from(context).projects),
    group: (_root: unknown, { fullPath }: { fullPath: string }, context: PlatformContext) =>
      from(context).groups.find((group) => group.fullPath === fullPath) ?? null,
    agent: (_root: unknown, { id }: Reference, context: PlatformContext) => from(context).agent(id),
    agents: (_root: unknown, _args: unknown, context: PlatformContext) => from(context).agents,
  },
  Group: {
    __resolveReference: ({ id }: Reference, context: PlatformContext) => byId(from(context).groups, id),
    parent: ({ parentId }: DemoGroup, _args: unknown, context: PlatformContext) =>
      parentId === null ? null : byId(from(context).groups, parentId),
    projects: ({ id }: DemoGroup, _args: unknown, context: PlatformContext) =>
      byPath(from(context).projects.filter(({ groupId }) => groupId === id)),
  },
  Project: {
    __resolveReference: ({ id }: Reference, context: PlatformContext) => byId(from(context).projects, id),
    webUrl: ({ fullPath }: DemoProject) => `https://platform.example/${fullPath}`,
    group: ({ groupId }: DemoProject, _args: unknown, context: PlatformContext) => byId(from(context).groups, groupId),
  },
  User: {
    __resolveReference: ({ id }: Reference, context: PlatformContext) => byId(from(context).users, id),
  },
  Agent: {
    __resolveReference: ({ id }: Reference, context: PlatformContext) => from(context).agent(id),
  },
};
