import { VERSION } from '../../lib/version.js';
import type { Command } from '../command.js';
import { ExitCode } from '../failure.js';
import { writeOut } from '../output.js';

export const command: Command = {
  usage: 'version',
  description: 'Prints the version of raftkv and of the API it speaks',
  flags: {},
  examples: [['raftkv version', '']],
  async run() {
    await writeOut([`raftkv version: ${VERSION}\nAPI version: 3.4\n`]);
    return ExitCode.ok;
  },
};
