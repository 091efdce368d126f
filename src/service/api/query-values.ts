import type { TObject, TSchema } from 'typebox';

/** The values of a query, which are text, as the numbers and truth values that their schema wants; what is neither stays as it is, to be refused. */
export function queryValues(schema: TObject, query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      typeof value === 'string' ? typed(schema, name, value) : value,
    ]),
  );
}

function typed(schema: TObject, name: string, text: string): unknown {
  const properties: Readonly<Record<string, TSchema>> = schema.properties;
  const wanted = Object.hasOwn(properties, name) ? (properties[name] as { readonly type?: string }).type : undefined;
  if (wanted === 'integer' && /^\d{1,15}$/.test(text)) return Number(text);
  if (wanted === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
