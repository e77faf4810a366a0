import { organization } from './organization.js';

export interface DemoPolicy {
  readonly namespaceId: string;
  readonly name: string;
  readonly description: string;
  /** Cedar. */
  readonly text: string;
}

/** Nothing permits `DESTROY`, so destructive and unknown tools are denied until an administrator says otherwise. */
export const policies: readonly DemoPolicy[] = [
  {
    namespaceId: organization.id,
    name: 'reads-allowed',
    description: 'Agents may call tools that only read, for anybody who may report.',
    text: `permit (principal, action == Action::"invokeTool", resource)
when { resource.risk <= 1 && context.role >= 20 };
`,
  },
  {
    namespaceId: organization.id,
    name: 'writes-by-developers',
    description: 'Agents may call tools that write, for developers and above.',
    text: `permit (principal, action == Action::"invokeTool", resource)
when { resource.risk <= 2 && context.role >= 30 };
`,
  },
  {
    namespaceId: 'gid://platform/Group/10',
    name: 'no-files-to-outsiders',
    description: 'From the projects of Payments, agents share files with addresses at acme.example only.',
    text: `forbid (principal, action == Action::"invokeTool", resource in Tool::"io.example.files/share_file")
unless { resource.hasTag("email") && resource.getTag("email") like "*@acme.example" };
`,
  },
];
