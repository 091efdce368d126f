import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import { pointer, refuse, type Violation } from './invalid-document.js';

/** Violations that one document can be told of. */
const MAX_VIOLATIONS = 50;

/**
 * Checks documents against the schemas that the OpenAPI document publishes (JSON Schema 2020-12), and names every field that is wrong, not only
 * the first. Nothing is coerced, filled in or left out.
 *
 * Owner: the service that made it; it keeps each schema that it has compiled.
 */
export class Validator {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  readonly #compiled = new WeakMap<TSchema, ValidateFunction>();

  /** What is wrong with a value; nothing if it is valid. */
  violations(schema: TSchema, value: unknown): readonly Violation[] {
    const validate = this.#compiled.get(schema) ?? this.#ajv.compile(schema);
    this.#compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).filter(isTelling).slice(0, MAX_VIOLATIONS).map(violationOf);
  }

  /**
   * The value, which is valid.
   * @param what the document, for people: `the body`
   * @throws InvalidDocument
   */
  check<Schema extends TSchema>(schema: Schema, value: unknown, what: string): Static<Schema> {
    refuse(what, this.violations(schema, value));
    return value as Static<Schema>;
  }
}

/** A name that breaks its pattern is told of once more as a member that is not allowed, with its path. */
function isTelling({ keyword, schemaPath }: ErrorObject): boolean {
  return keyword !== 'if' && !schemaPath.includes('/propertyNames');
}

function violationOf({ instancePath, keyword, params, message = 'is wrong' }: ErrorObject): Violation {
  const { additionalProperty, missingProperty, allowedValues } = params as Readonly<Record<string, unknown>>;
  if (keyword === 'additionalProperties') {
    return { path: instancePath + pointer(String(additionalProperty)), rule: 'unknown-field', message: 'is not known' };
  }
  if (keyword === 'required') {
    return { path: instancePath + pointer(String(missingProperty)), rule: keyword, message: 'is missing' };
  }
  if (keyword === 'enum' && Array.isArray(allowedValues)) {
    return { path: instancePath, rule: keyword, message: `must be one of ${allowedValues.join(', ')}` };
  }
  return { path: instancePath, rule: keyword, message };
}
