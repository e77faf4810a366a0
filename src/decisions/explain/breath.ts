/** Lets others in: what is worked out at length must not keep decisions waiting. */
export const breath = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
