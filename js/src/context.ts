/** What of an anywidget model the views use. */
export interface WidgetModel {
  get(name: string): unknown;
  on(event: string, callback: (message?: unknown, buffers?: readonly DataView[]) => void): void;
  off(event: string, callback: (message?: unknown, buffers?: readonly DataView[]) => void): void;
  /** Sends a message to the kernel. */
  send?(message: unknown): void;
}

/** Where the Jupyter server is: `base` is absolute (`https://host/user/ada/`), `token` may be empty. */
export interface ServerAddress {
  readonly base: string;
  readonly token: string;
}

/** What the bootstrap hands to a view. The view fills `el` and leaves nothing behind once `signal` aborts. */
export interface WidgetContext extends ServerAddress {
  readonly el: HTMLElement;
  readonly model: WidgetModel;
  readonly signal: AbortSignal;
  /** The page cannot reach the server, and the kernel carries what they say to each other. */
  readonly relayed?: boolean;
}
