export type { ToolReader, ToolTransaction, ToolWriter } from './ports.js';
export { listTools, namedAmong, toolNamed, toolsById, type NamedTool, type ToolReading } from './read-tools.js';
export { registerTool, type Registering } from './register-tool.js';
export { partsOf, RISKS, UNKNOWN_RISK, type ActionType, type Tool } from './tool.js';
