/** A flag of a command. Values stay text until the command reads them: keys and ids must never become numbers. */
export interface Flag {
  readonly type: 'boolean' | 'string';
  readonly describe: string;
  readonly default?: string | boolean;
  readonly alias?: string;
  /** Accepted, but not shown. */
  readonly hidden?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;
