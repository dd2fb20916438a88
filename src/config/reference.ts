import { environmentName, options, optionKeys, type Option } from './options.js';

/** The default as a person reads it. */
export function defaultOf(option: Option<unknown>): string {
  return option.defaultText ?? option.derivedFrom ?? '';
}

/** The table of all options in Markdown: config/README.md carries it, and a test keeps the two equal. */
export function optionReference(): string {
  const rows = optionKeys.map((key) => {
    const option: Option<unknown> = options[key];
    const { flag, kind, description, advice, since } = option;
    const unit = kind.label === 'duration' ? 'duration' : kind.unit || kind.label.replaceAll('|', ' \\| ');
    return `| \`${flag}\` | \`${environmentName(flag)}\` | ${unit} | \`${defaultOf(option)}\` | ${description} | ${advice} | ${since} |`;
  });
  return [
    '| Key and flag | Environment | Unit or form | Default | What it is | When to touch it | Since |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** A configuration file with every key, commented out, at its default: config/raftkv.example.yaml, kept equal by a test. */
export function exampleFile(): string {
  const lines = [
    '# Every key of the configuration file of `raftkv server`, at its default. Uncomment what you change.',
    '#',
    '#   raftkv server --config-file raftkv.yaml',
    '#',
    '# A flag (--name) beats the environment (RAFTKV_NAME), which beats this file. JSON works as well.',
  ];
  let group = '';
  for (const key of optionKeys) {
    const option: Option<unknown> = options[key];
    if (option.group !== group) lines.push('', `# ---- ${option.group} ----`);
    group = option.group;
    lines.push('', `# ${option.description}`, `# ${option.advice}`);
    lines.push(
      option.defaultText === null
        ? `# ${option.flag}:   # ${option.derivedFrom ?? ''}`
        : `# ${option.flag}: ${option.defaultText}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** What `raftkv server --help` prints. */
export function serverHelp(): string {
  const lines = [
    'raftkv server [flags]',
    '',
    'Runs one member of a cluster. Without flags: a cluster of one on localhost:2379.',
    'Each flag can also be set as RAFTKV_NAME (for --name) or as a key of --config-file;',
    'a flag beats the environment, which beats the file.',
  ];
  let group = '';
  for (const key of optionKeys) {
    const option: Option<unknown> = options[key];
    if (option.group !== group) lines.push('', `${option.group}:`);
    group = option.group;
    lines.push(`  --${option.flag} ${option.kind.label}  [${defaultOf(option)}]`, `      ${option.description}`);
  }
  return [
    ...lines,
    '',
    'Also:',
    '  --config-file PATH',
    '      YAML or JSON file with the names above as keys (RAFTKV_CONFIG_FILE).',
    '  --help, --version',
    '',
    'Examples:',
    '  raftkv server',
    '  raftkv server --config-file config/n1.yaml',
    '  raftkv server --name n1 --data-dir /var/lib/raftkv \\',
    '    --listen-peer-urls http://0.0.0.0:2380 --initial-advertise-peer-urls http://h1:2380 \\',
    '    --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://h1:2379 \\',
    '    --initial-cluster n1=http://h1:2380,n2=http://h2:2380,n3=http://h3:2380',
    '',
  ].join('\n');
}
