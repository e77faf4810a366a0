/**
 * Hints between processes: "look again". May be lost, repeated or late; whoever listens also looks by itself from time to time.
 */
export interface Signals {
  /** Tells all processes that listen to `channel`, this one included. Never fails: a lost hint costs latency only. */
  publish(channel: string, message: string): void;
  /** Calls `listener` for each message on `channel` until the returned function is called. */
  subscribe(channel: string, listener: (message: string) => void): () => void;
  close(): Promise<void>;
}

/** Signals inside this process alone: what a process without Redis works on. */
export function localSignals(): Signals {
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    publish(channel, message) {
      for (const listener of [...(listeners.get(channel) ?? [])]) listener(message);
    },
    subscribe(channel, listener) {
      const ofChannel = listeners.get(channel) ?? new Set();
      listeners.set(channel, ofChannel.add(listener));
      return () => {
        ofChannel.delete(listener);
        if (ofChannel.size === 0) listeners.delete(channel);
      };
    },
    close: async () => listeners.clear(),
  };
}
