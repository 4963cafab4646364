import type { CommandWords } from "./command-words.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script that completes `basil` in a shell. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return { bash, zsh, fish }[shell](commands);
}

const joined = ({ path }: CommandWords): string => path.join(" ");
const wordsOf = ({ subcommands, flags }: CommandWords): string =>
  [...subcommands.map(({ name }) => name), ...flags.map(({ long }) => long)].join(" ");

/** A word for the shell inside single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The `case` arms that values of flags have, one for each command with such flags. */
function choiceArms(commands: readonly CommandWords[]): string[] {
  return commands.flatMap((command) =>
    command.flags
      .filter(({ choices }) => choices.length > 0)
      .map(({ long, choices }) => `    ${quoted(`${joined(command)} ${long}`)}) words=${quoted(choices.join(" "))} ;;`),
  );
}

function bash(commands: readonly CommandWords[]): string {
  const paths = commands.filter(({ path }) => path.length > 0).map((command) => quoted(joined(command)));
  return `# bash completion for basil: source this, or put it where bash-completion looks.
_basil() {
  local path="" next words="" i current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
    ${paths.join(" | ")}) path="$next" ;;
    esac
  done
  case "$path $previous" in
${choiceArms(commands).join("\n")}
  *)
    case "$path" in
${commands.map((command) => `    ${quoted(joined(command))}) words=${quoted(wordsOf(command))} ;;`).join("\n")}
    esac
    ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _basil basil
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const paths = commands.filter(({ path }) => path.length > 0).map((command) => quoted(joined(command)));
  return `#compdef basil
# zsh completion for basil: put it into a folder of fpath as _basil, or source it after compinit.
_basil() {
  local route="" next candidates="" word
  for word in \${words[2,CURRENT-1]}; do
    next="\${route:+$route }$word"
    case "$next" in
    ${paths.join(" | ")}) route="$next" ;;
    esac
  done
  case "$route $words[CURRENT-1]" in
${choiceArms(commands).join("\n").replaceAll(" words=", " candidates=")}
  *)
    case "$route" in
${commands.map((command) => `    ${quoted(joined(command))}) candidates=${quoted(wordsOf(command))} ;;`).join("\n")}
    esac
    ;;
  esac
  compadd -- \${=candidates}
  [[ $words[CURRENT] == -* ]] || _files
}
compdef _basil basil
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = ["# fish completion for basil: put it into ~/.config/fish/completions/basil.fish"];
  for (const command of commands) {
    const when = quoted(condition(command, commands));
    for (const { name, summary } of command.subcommands) {
      lines.push(`complete -c basil -n ${when} -f -a ${name} -d ${quoted(summary)}`);
    }
    const inside = quoted(command.path.length === 0 ? "__fish_use_subcommand" : seen(command.path));
    for (const { long, short, summary, takesValue, choices } of command.flags) {
      const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesValue ? " -r" : "";
      const letter = short === undefined ? "" : ` -s ${short.slice(1)}`;
      lines.push(`complete -c basil -n ${inside} -l ${long.slice(2)}${letter}${value} -d ${quoted(summary)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function seen(path: readonly string[]): string {
  return path.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
}

/** True while a subcommand of this command may come next. */
function condition({ path, subcommands }: CommandWords, commands: readonly CommandWords[]): string {
  if (path.length === 0) return "__fish_use_subcommand";
  if (subcommands.length === 0 || commands.length === 0) return seen(path);
  return `${seen(path)}; and not __fish_seen_subcommand_from ${subcommands.map(({ name }) => name).join(" ")}`;
}
