import type { Globals } from '../globals.js';
import type { Printer } from './printer.js';

/** The printer for the format the user chose. Loaded alone: most runs need one. */
export async function printerFor({ format, hex }: Globals): Promise<Printer> {
  switch (format) {
    case 'json':
      return (await import('./json.js')).jsonPrinter;
    case 'fields':
      return (await import('./fields.js')).fieldsPrinter;
    case 'table':
      return (await import('./table.js')).tablePrinter;
    case 'simple':
      return (await import('./simple.js')).simplePrinter(hex);
  }
}
