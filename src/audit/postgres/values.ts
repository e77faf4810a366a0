import type { OrganizationId } from '../../kernel/index.js';

/** The bound values of a statement, numbered as they come. The organization is $1. */
export class Values {
  readonly all: unknown[];

  constructor(organizationId: OrganizationId) {
    this.all = [organizationId];
  }

  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}
