import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { describeError } from '../../core/errors.js';
import { serviceViolations } from '../rules/service-rules.js';
import { refuse, type Violation } from '../schema/invalid-document.js';
import { ServiceSpec } from '../schema/service-schema.js';
import { Validator } from '../schema/validator.js';
import { type Environment, substitute } from './environment-values.js';

type YamlDocument = ReturnType<typeof parseDocument>;

/** Aliases of a document that are followed, so that a small file cannot become a huge value. */
const MAX_ALIASES = 100;

/** A plain value that is one reference and nothing else. */
const WHOLE_REFERENCE = /^\$\{[^}]*\}$/;

/** Something that is wrong at a place of a file. */
interface Complaint {
  readonly rule: string;
  readonly offset: number | undefined;
  readonly message: string;
}

/**
 * Reads a configuration: YAML 1.2 (JSON is such), with `${NAME}` in values for variables of the environment. A plain value that is a reference and
 * nothing else may become a number or a truth value; a quoted one stays text.
 *
 * @param text of the file
 * @param name of the file, for messages
 * @throws InvalidDocument: the message names file, line and field of everything that is wrong, and no values
 */
export function readServiceConfig(text: string, name: string, environment: Environment): ServiceSpec {
  const lines = new LineCounter();
  const refuseAt = (complaints: readonly Complaint[]): void => {
    const violations = complaints.map(({ rule, offset, message }) => {
      const at = offset === undefined ? '' : `line ${lines.linePos(offset).line}: `;
      return { path: '', rule, message: at + message };
    });
    refuse(name, violations);
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const faults = [...document.errors, ...document.warnings];
  refuseAt(
    faults.map(({ code, pos, message }) => ({
      rule: 'yaml',
      offset: pos[0],
      // The parser's own words are for programmers.
      message: code === 'MULTIPLE_DOCS' ? 'another document begins: a configuration is one document' : message,
    })),
  );
  refuseAt(fillIn(document, environment));
  const spec = plainData(document, (message) => refuseAt([{ rule: 'yaml', offset: undefined, message }]));
  const complaintOf = ({ path, rule, message }: Violation): Complaint => ({
    rule,
    offset: offsetAt(document, path),
    message: `${path} ${message}`.trim(),
  });
  refuseAt(new Validator().violations(ServiceSpec, spec).map(complaintOf));
  const checked = spec as ServiceSpec;
  refuseAt(serviceViolations(checked).map(complaintOf));
  return checked;
}

/** The value of a document; `refuseIt` throws. */
function plainData(document: YamlDocument, refuseIt: (message: string) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    // Aliases of nothing, or too many of them.
    refuseIt(describeError(error));
    throw error;
  }
}

/** Fills variables into every value of a document. */
function fillIn(document: YamlDocument, environment: Environment): readonly Complaint[] {
  const complaints: Complaint[] = [];
  visit(document, {
    Scalar(key, node) {
      const { value, range, type } = node;
      if (key === 'key' || typeof value !== 'string' || !value.includes('${')) return;
      const { text, problems } = substitute(value, environment);
      complaints.push(...problems.map((message) => ({ rule: 'environment', offset: range?.[0], message })));
      node.value = type === 'PLAIN' && WHOLE_REFERENCE.test(value) ? plainValue(text) : text;
    },
  });
  return complaints;
}

/** What a plain value means: a number, a truth value, or text. */
function plainValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}

/** Where in the file the field of a JSON pointer is; or what would hold it, if it is not there. */
function offsetAt(document: YamlDocument, path: string): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const segment of path.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
      if (!isScalar(pair?.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(name)];
      offset = rangeOf(node)?.[0] ?? offset;
    } else break;
  }
  return offset;
}

function rangeOf(node: unknown): readonly number[] | null | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
}
