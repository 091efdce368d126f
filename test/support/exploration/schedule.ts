import fc from 'fast-check';
import type { ConnectStep } from '../fake-transport.js';
import type { GateStep } from '../poisoning-encoder.js';

/** Three cameras, a microphone, and a camera that encodes for itself. */
const IDS = ['front', 'rear', 'left', 'mic', 'thermal'] as const;
export type Id = (typeof IDS)[number];

/** Steps of encoders and of a connect that a schedule can hold up. */
export const STEPS = ['open', 'read', 'close', 'gather', 'answer', 'connect'] as const satisfies readonly (
  | GateStep
  | ConnectStep
)[];

/** Events in whose handlers a schedule acts. */
export const EVENTS = [
  'frameSent',
  'encodedFrame',
  'connectionState',
  'encoderSwapped',
  'trackHealth',
  'stats',
] as const;
export type EventName = (typeof EVENTS)[number];

/** A call of the application, or a message of the peer. */
export type Call =
  | { readonly do: 'add' | 'keyFrame' | 'pli' | 'nack'; readonly id: Id }
  /** By the handle that the last `add` of the id gave, which may be of a track that is gone, or by the id itself. */
  | { readonly do: 'remove' | 'recreate'; readonly id: Id; readonly byHandle: boolean }
  | { readonly do: 'resize'; readonly id: Id; readonly byHandle: boolean; readonly half: boolean }
  | { readonly do: 'send'; readonly id: Id; readonly byHandle: boolean; readonly offsetUs: number }
  | { readonly do: 'allocate'; readonly weights: Readonly<Record<string, number>> | null }
  | { readonly do: 'bitrate'; readonly bps: number }
  | { readonly do: 'connect'; readonly renegotiable: boolean }
  | { readonly do: 'close' };

/** What encoders, the network or time do. `break` cuts the link between two packets of a frame, `link` between frames. */
export type Circumstance =
  | { readonly do: 'hold' | 'open'; readonly step: (typeof STEPS)[number] }
  | { readonly do: 'fault'; readonly where: 'open' | 'read' | 'peer' | 'link' | 'break' | 'heal' | 'none' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'turns'; readonly microtasks: number }
  /** Of a peer that tells what has arrived: what lies between, and that it tells now. */
  | { readonly do: 'capacity'; readonly bps: number }
  | { readonly do: 'openOne' | 'settle' | 'report' };

export type Operation = Call | Circumstance;

/** What the handler of an event does once: it returns at once, when its call has ended, or never. */
export interface HandlerAction {
  readonly on: EventName;
  readonly call: Call;
  readonly returns: 'at once' | 'after its call' | 'never';
}

/** One schedule: the life of a sender from its making to the end of `close`. */
export interface Schedule {
  /** Nothing is held up and every handler returns: then no deadline may be needed anywhere. */
  readonly calm: boolean;
  /** The sender follows what its peer tells of arrivals: packets wait. */
  readonly controlled: boolean;
  readonly operations: readonly Operation[];
  readonly inHandlers: readonly HandlerAction[];
}

/** Every schedule begins with two cameras and a microphone that are connected. */
const BEGINNING: readonly Operation[] = [
  { do: 'add', id: 'front' },
  { do: 'add', id: 'rear' },
  { do: 'add', id: 'mic' },
  { do: 'connect', renegotiable: true },
  { do: 'settle' },
];

const id = fc.constantFrom<Id>('front', 'front', 'rear', 'rear', 'left', 'mic', 'thermal');
const byHandle = fc.boolean();
const oneOf = <const T extends string>(...names: T[]) => fc.constantFrom(...names);

/** Frames above all. */
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ do: oneOf('send'), id, byHandle, offsetUs: fc.constantFrom(0, 0, 0, 1000, -50_000) }),
  },
  { weight: 6, arbitrary: fc.record({ do: oneOf('add'), id }) },
  { weight: 9, arbitrary: fc.record({ do: oneOf('recreate', 'recreate', 'remove'), id, byHandle }) },
  { weight: 3, arbitrary: fc.record({ do: oneOf('resize'), id, byHandle, half: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: oneOf('keyFrame', 'pli', 'nack'), id }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: oneOf('allocate'),
      weights: fc.option(fc.dictionary(id, fc.constantFrom(0, 1, 3)), { freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: oneOf('bitrate'), bps: fc.constantFrom(1, 50_000, 4_000_000) }) },
  { weight: 3, arbitrary: fc.record({ do: oneOf('connect'), renegotiable: fc.boolean() }) },
);

const circumstance: fc.Arbitrary<Circumstance> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: oneOf('hold', 'open'), step: fc.constantFrom('open', 'read', 'close', ...STEPS) }),
  },
  { weight: 6, arbitrary: fc.record({ do: oneOf('openOne') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: oneOf('fault'),
      where: oneOf('open', 'read', 'peer', 'link', 'break', 'heal', 'none', 'none'),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: oneOf('advance'), ms: fc.constantFrom(1, 1, 33, 33, 33, 1100) }) },
  { weight: 8, arbitrary: fc.record({ do: oneOf('turns'), microtasks: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 8, arbitrary: fc.record({ do: oneOf('settle') }) },
  { weight: 8, arbitrary: fc.record({ do: oneOf('report') }) },
  { weight: 2, arbitrary: fc.record({ do: oneOf('capacity'), bps: fc.constantFrom(50_000, 500_000, 20_000_000) }) },
);

const close = fc.constant<Call>({ do: 'close' });

const handlerAction: fc.Arbitrary<HandlerAction> = fc.record({
  on: fc.constantFrom('frameSent', 'frameSent', ...EVENTS),
  call: fc.oneof({ weight: 9, arbitrary: call }, { weight: 1, arbitrary: close }),
  returns: oneOf('after its call', 'after its call', 'after its call', 'at once', 'at once', 'never'),
});

/** Any schedule. A close in its midst is as likely as none. */
export const schedule: fc.Arbitrary<Schedule> = fc
  .record({
    operations: fc.array(
      fc.oneof({ weight: 5, arbitrary: call }, { weight: 4, arbitrary: circumstance }) as fc.Arbitrary<Operation>,
      { maxLength: 80, size: 'max' },
    ),
    closeAt: fc.option(fc.nat(80), { freq: 2 }),
    inHandlers: fc.array(handlerAction, { maxLength: 4 }),
    calm: fc.boolean(),
    controlled: fc.boolean(),
  })
  .map(({ operations, closeAt, inHandlers, calm, controlled }) => {
    const all = [...BEGINNING, ...operations.filter((operation) => !calm || operation.do !== 'hold')];
    if (closeAt !== null) all.splice(BEGINNING.length + closeAt, 0, { do: 'close' });
    return {
      calm,
      controlled,
      operations: all,
      inHandlers: inHandlers.filter(({ returns }) => !calm || returns !== 'never'),
    };
  });

/** A schedule for people, an operation a line. */
export function describeSchedule({ operations, inHandlers }: Schedule): string {
  return [
    ...operations.map((operation, index) => `${String(index + 1).padStart(3)}  ${describeOperation(operation)}`),
    ...inHandlers.map(
      ({ on, call, returns }) => `  in a handler of ${on}: ${describeOperation(call)} (the handler returns ${returns})`,
    ),
  ].join('\n');
}

export function describeOperation({ do: verb, ...values }: Operation): string {
  const words = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [verb, ...words].join(' ');
}
