// Control characters cannot be stored (NUL) or would deceive a reader.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;
// eslint-disable-next-line no-control-regex
const CONTROL_BUT_LAYOUT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Whether a text is one line without control characters: fit for a name or an id. */
export const isPlain = (text: string): boolean => !CONTROL.test(text);

/** Whether a text has no control characters but tabs and line breaks: fit for a description. */
export const isPlainText = (text: string): boolean => !CONTROL_BUT_LAYOUT.test(text);
