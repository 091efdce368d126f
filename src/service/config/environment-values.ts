/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `${NAME}`, `${NAME:-otherwise}`, and `$${` for a `${` that is meant. */
const REFERENCE = /\$\$\{|\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<otherwise>[^}]*))?\}|\$\{[^}]*\}?/g;

/** A text with its variables filled in. */
export interface Substitution {
  readonly text: string;
  /** Variables that are not set and have no default, and references that are none: for people. */
  readonly problems: readonly string[];
}

/**
 * Fills the variables of the environment into one value of a configuration. It is done value by value, after parsing: what is in a variable never
 * becomes structure.
 */
export function substitute(text: string, environment: Environment): Substitution {
  const problems: string[] = [];
  const filled = text.replaceAll(REFERENCE, (reference: string, ...rest: unknown[]) => {
    if (reference === '$${') return '${';
    const { name, otherwise } = rest.at(-1) as { readonly name?: string; readonly otherwise?: string };
    if (name === undefined) {
      problems.push(
        `has "${reference}", which is no reference to a variable: use \${NAME}, or $\${ for a \${ that is meant`,
      );
      return '';
    }
    // As in a shell, `:-` stands in for an empty variable too.
    const value = otherwise === undefined ? environment[name] : environment[name] || otherwise;
    if (value === undefined) problems.push(`needs the variable ${name}, which is not set`);
    return value ?? '';
  });
  return { text: filled, problems };
}
