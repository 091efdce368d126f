import { ALLOCATION_MUTANTS } from './allocation.js';
import { COMMAND_MUTANTS } from './command.js';
import { CONGESTION_MUTANTS } from './congestion.js';
import { DASHBOARD_MUTANTS } from './dashboard.js';
import { DRAIN_MUTANTS } from './drain.js';
import { ENCODER_LOCK_MUTANTS } from './encoder-lock.js';
import { EVENT_MUTANTS } from './events.js';
import { GENERATION_MUTANTS } from './generations.js';
import { HANDLE_MUTANTS } from './handles.js';
import { LIFETIME_MUTANTS } from './lifetimes.js';
import { LIVEKIT_MUTANTS } from './livekit.js';
import { LOCK_MUTANTS } from './locks.js';
import type { Mutant } from './mutant.js';
import { NATIVE_TRANSPORT_MUTANTS } from './native-transport.js';
import { RECOVERY_MUTANTS } from './recovery.js';
import { REPAIR_MUTANTS } from './repair.js';
import { RETRANSMISSION_MUTANTS } from './retransmission.js';
import { SEND_PATH_MUTANTS } from './send-path.js';
import { SERVICE_MUTANTS } from './service.js';
import { SERVICE_ENCODING_MUTANTS } from './service-encodings.js';
import { SERVICE_OPERATION_MUTANTS } from './service-operations.js';
import { SESSION_CHANGE_MUTANTS } from './session-change.js';
import { SIMULCAST_MUTANTS } from './simulcast.js';
import { SOCKET_RETURN_MUTANTS } from './socket-return.js';
import { SOURCE_MUTANTS } from './sources.js';
import { TEMPORAL_LAYER_MUTANTS } from './temporal-layers.js';
import { WIRE_MUTANTS } from './wire.js';

/** Every guard that `npm run mutants` takes away, one at a time. */
export const MUTANTS: readonly Mutant[] = [
  ...ENCODER_LOCK_MUTANTS,
  ...LOCK_MUTANTS,
  ...DRAIN_MUTANTS,
  ...LIFETIME_MUTANTS,
  ...LIVEKIT_MUTANTS,
  ...EVENT_MUTANTS,
  ...HANDLE_MUTANTS,
  ...WIRE_MUTANTS,
  ...RETRANSMISSION_MUTANTS,
  ...REPAIR_MUTANTS,
  ...ALLOCATION_MUTANTS,
  ...CONGESTION_MUTANTS,
  ...SEND_PATH_MUTANTS,
  ...RECOVERY_MUTANTS,
  ...SESSION_CHANGE_MUTANTS,
  ...SOCKET_RETURN_MUTANTS,
  ...NATIVE_TRANSPORT_MUTANTS,
  ...SERVICE_MUTANTS,
  ...SERVICE_ENCODING_MUTANTS,
  ...SERVICE_OPERATION_MUTANTS,
  ...GENERATION_MUTANTS,
  ...COMMAND_MUTANTS,
  ...DASHBOARD_MUTANTS,
  ...SIMULCAST_MUTANTS,
  ...SOURCE_MUTANTS,
  ...TEMPORAL_LAYER_MUTANTS,
];
