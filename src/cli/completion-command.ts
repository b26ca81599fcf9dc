import { Argument } from 'commander';
import type { Command } from 'commander';

/** Makes `command` print a shell's completion of all commands of `program`. */
export function describeCompletion(command: Command, program: Command): Command {
  const name = program.name();
  return command
    .description('Print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']))
    .addHelpText('after', helpFor(name))
    .action((shell: string) => {
      const words = wordsOf(program);
      console.log(shell === 'bash' ? bashScript(name, words) : zshScript(name, words));
    });
}

const helpFor = (name: string) => `
Examples:
  $ source <(${name} completion bash)    # in ~/.bashrc
  $ source <(${name} completion zsh)     # in ~/.zshrc, after compinit`;

/** What may follow a command, by the command's path: "order sell". */
type Words = ReadonlyMap<string, readonly string[]>;

function wordsOf(program: Command): Words {
  const words = new Map<string, readonly string[]>();
  const visit = (command: Command, path: readonly string[]) => {
    const flags = command.options.flatMap(({ long, short, hidden }) =>
      hidden ? [] : [long, short].filter((flag) => flag !== undefined && flag !== null),
    );
    const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
    const subcommands = command.commands.map((subcommand) => subcommand.name());
    words.set(path.join(' '), [...subcommands, ...choices, ...flags, '--help']);
    for (const subcommand of command.commands) visit(subcommand, [...path, subcommand.name()]);
  };
  visit(program, []);
  return words;
}

/** A shell function's body that puts what may follow into `words`. */
function cases(words: Words): string {
  return [...words]
    .map(([path, following]) => `    '${path}') words='${following.join(' ')}' ;;`)
    .join('\n');
}

function bashScript(name: string, words: Words): string {
  return `_${name}_completion() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path\${path:+ }$word" in
      ${knownPaths(words)}) path="$path\${path:+ }$word" ;;
    esac
  done
  case "$path" in
${cases(words)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name}_completion ${name}`;
}

function zshScript(name: string, words: Words): string {
  return `_${name}_completion() {
  local path_='' words_='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_\${path_:+ }$word" in
      ${knownPaths(words)}) path_="$path_\${path_:+ }$word" ;;
    esac
  done
  case "$path_" in
${cases(words).replaceAll("words='", "words_='")}
  esac
  compadd -- \${=words_}
  [[ $compstate[nmatches] -gt 0 ]] || _files
}
compdef _${name}_completion ${name}`;
}

function knownPaths(words: Words): string {
  return [...words.keys()]
    .filter((path) => path !== '')
    .map((path) => `'${path}'`)
    .join('|');
}
