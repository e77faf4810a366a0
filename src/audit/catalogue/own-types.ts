/** The types that only this service records. */
import { own, type EventType } from './definition.js';
import {
  approval,
  contentReveal,
  decision,
  decisionRefusal,
  legalHold,
  policy,
  policyBacktest,
  policySettings,
  recordingMode,
  retentionChange,
  retentionDrop,
  sessionReport,
  stop,
  tool,
  toolRule,
} from './own-payloads.js';

const ANYWHERE = ['ORGANIZATION', 'GROUP', 'PROJECT'] as const;

/** What a decision and what follows from it have in common: they happen in a project, and are kept as decisions are. */
const asked = { scopes: ['PROJECT'], retentionClass: 'DECISIONS' } as const;
const approving = { ...asked, category: 'APPROVAL', since: '0.2.0' } as const;

const ofPolicies = { category: 'POLICY', scopes: ANYWHERE, since: '0.1.0' } as const;
const ofTools = { category: 'TOOL_REGISTRY', scopes: ANYWHERE } as const;
const ofRetention = { category: 'RETENTION', scopes: ANYWHERE, since: '0.2.0' } as const;

export const OWN_TYPES: readonly EventType[] = [
  own('ai_tool_decision_made', decision, {
    ...asked,
    category: 'DECISION',
    since: '0.1.0',
    description: 'It was decided whether an agent may make a tool call.',
  }),
  own('ai_tool_decision_refused', decisionRefusal, {
    category: 'DECISION',
    scopes: ['ORGANIZATION'],
    since: '0.2.0',
    description: 'A question whether an agent may make a tool call was refused before anything was decided.',
  }),
  own('ai_tool_approval_requested', approval, { ...approving, description: 'A tool call waits for a human to approve it.' }),
  own('ai_tool_approval_granted', approval, { ...approving, description: 'A human approved a tool call.' }),
  own('ai_tool_approval_rejected', approval, { ...approving, description: 'A human rejected a tool call.' }),
  own('ai_tool_approval_expired', approval, { ...approving, description: 'Nobody answered in time: no human rejected the tool call.' }),
  own('ai_policy_created', policy, { ...ofPolicies, description: 'A policy was created as a draft, which decides nothing.' }),
  own('ai_policy_draft_changed', policy, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'Somebody saved another draft of a policy, which decides nothing.',
  }),
  own('ai_policy_reviewed', policy, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'A second person agreed that a draft of a policy comes in force, or that a policy is taken out of force.',
  }),
  own('ai_policy_published', policy, { ...ofPolicies, description: 'A revision of a policy was put in force, or is to be at a time.' }),
  own('ai_policy_rolled_back', policy, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'An old revision of a policy was published anew, as the next one.',
  }),
  own('ai_policy_retired', policy, { ...ofPolicies, description: 'A policy was taken out of force.' }),
  own('ai_policy_adopted', policy, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'A policy was taken over as code, or by another folder: it changes with that, and not by hand any more.',
  }),
  own('ai_policy_released', policy, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'A policy that was applied as code can be changed by hand again.',
  }),
  own('ai_policy_settings_changed', policySettings, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'It was set anew whether a second person must review, or a backtest precede, what is published in a namespace.',
  }),
  own('ai_policy_backtested', policyBacktest, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'It was worked out what a text of a policy would have made of recorded decisions.',
  }),
  own('ai_tool_rule_changed', toolRule, {
    ...ofPolicies,
    since: '0.2.0',
    description: 'It was set anew what agents of a class may do with a tool in a namespace.',
  }),
  own('ai_tool_registered', tool, { ...ofTools, since: '0.1.0', description: 'A tool was registered for the first time.' }),
  own('ai_tool_changed', tool, {
    ...ofTools,
    since: '0.1.0',
    description: 'A registered tool has another definition or other attributes.',
  }),
  own('ai_tool_approved', tool, { ...ofTools, since: '0.2.0', description: 'A human approved a tool’s definition.' }),
  own('ai_tool_quarantined', tool, {
    ...ofTools,
    since: '0.2.0',
    description: 'A tool was taken out of use until a human has looked at it.',
  }),
  own('ai_agent_stopped', stop, {
    category: 'AGENT',
    scopes: ANYWHERE,
    since: '0.2.0',
    description: 'An agent was stopped: none of its calls is allowed until the stop ends.',
  }),
  own('ai_retention_dropped', retentionDrop, {
    ...ofRetention,
    description: 'Events, or the content of events, were dropped because their time was over.',
  }),
  own('ai_retention_changed', retentionChange, { ...ofRetention, description: 'It was set anew how long a namespace’s events are kept.' }),
  own('ai_legal_hold_placed', legalHold, {
    ...ofRetention,
    description: 'Events were put under a legal hold: retention drops none of them.',
  }),
  own('ai_legal_hold_lifted', legalHold, {
    ...ofRetention,
    description: 'A legal hold was lifted: what it alone had kept goes when its time is over.',
  }),
  own('ai_content_revealed', contentReveal, {
    category: 'CONTENT',
    scopes: ANYWHERE,
    since: '0.2.0',
    description: 'Somebody was shown the content of prompts, answers or results.',
  }),
  own('ai_recording_mode_changed', recordingMode, {
    category: 'SETTINGS',
    scopes: ANYWHERE,
    since: '0.2.0',
    description: 'It was set anew whether content is recorded in a namespace.',
  }),
  own('ai_agent_session_report_finished', sessionReport, {
    category: 'SESSION',
    scopes: ['ORGANIZATION', 'PROJECT'],
    since: '0.2.0',
    description: 'A session’s producer said that it has sent everything, and how many events that was.',
  }),
];
