import { Cluster } from './cluster.js';
import { commands, drawing } from './commands.js';

/** Commands, and what must be seen when they have run. */
interface Step {
  readonly commands: readonly { readonly line: number; readonly text: string }[];
  readonly expected: readonly string[];
  /** Lines of the file, commands and comments, that a rewrite leaves alone. */
  readonly verbatim: readonly string[];
}

export interface Outcome {
  /** What was seen, with the commands between, as the file should read. */
  readonly text: string;
  readonly differences: readonly { readonly step: number; readonly expected: string[]; readonly seen: string[] }[];
}

const RULE = '----';

/**
 * Runs a scenario file. A step is commands, a rule, and what must be seen; an empty line after that begins the next.
 * `members` begins a new cluster, in the same file too.
 * @throws Error that names the line of a command which could not run, or an invariant that broke.
 */
export async function runScenario(text: string): Promise<Outcome> {
  const stage = new Stage();
  const differences = [];
  const blocks: string[] = [];
  for (const [position, step] of parse(text).entries()) {
    const seen: string[] = [];
    for (const { line, text } of step.commands) {
      try {
        await stage.run(text, (words) => seen.push(words));
      } catch (error) {
        throw new Error(`line ${line}, '${text}': ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
    if (seen.join('\n') !== step.expected.join('\n'))
      differences.push({ step: position + 1, expected: [...step.expected], seen });
    blocks.push([...step.verbatim, RULE, ...seen].join('\n'));
  }
  await stage.close();
  return { text: `${blocks.join('\n\n')}\n`, differences };
}

/** Draws until the first command that needs running members, then starts them. */
class Stage {
  #cluster: Cluster | null = null;
  #hasStarted = false;

  async run(text: string, see: (line: string) => void): Promise<void> {
    const [name = '', ...words] = text.split(/\s+/);
    if (name === 'members') {
      await this.close();
      this.#cluster = new Cluster(words);
      return;
    }
    const cluster = this.#cluster;
    if (!cluster) throw new Error('expected `members` first');
    const draw = drawing[name];
    if (draw && !this.#hasStarted) return draw({ cluster, words, see });
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      await cluster.start();
    }
    const command = commands[name] ?? drawing[name];
    if (!command) throw new Error('unknown command');
    await command({ cluster, words, see });
    for (const member of cluster.all) {
      if (member.unreportedFailure !== null) see(`${member.name}: stopped, ${member.unreportedFailure}`);
      member.unreportedFailure = null;
    }
  }

  async close(): Promise<void> {
    await this.#cluster?.stopAll();
    this.#cluster = null;
    this.#hasStarted = false;
  }
}

function parse(text: string): Step[] {
  const steps: Step[] = [];
  let verbatim: string[] = [];
  let commands: { line: number; text: string }[] = [];
  let expected: string[] | null = null;
  const end = (): void => {
    if (expected) steps.push({ commands, expected, verbatim });
    else if (commands.length > 0) throw new Error(`the commands at the end have no '${RULE}' after them`);
    [verbatim, commands, expected] = [[], [], null];
  };
  for (const [position, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (expected && line === '') end();
    else if (expected) expected.push(line);
    else if (line === RULE) expected = [];
    else {
      if (verbatim.length > 0 || line !== '') verbatim.push(line);
      const command = line.replace(/(^|\s)# .*$/, '').trim();
      if (command !== '' && command !== '#') commands.push({ line: position + 1, text: command });
    }
  }
  end();
  return steps;
}
