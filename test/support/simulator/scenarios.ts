import { ENCODER_SCENARIOS } from './encoder-scenarios.js';
import { FEEDBACK_SCENARIOS } from './feedback-scenarios.js';
import { LINK_SCENARIOS } from './link-scenarios.js';
import { RFC8867_SCENARIOS } from './rfc8867-scenarios.js';
import type { Scenario } from './scenario.js';

/** What the controller is held against. */
export const SCENARIOS: readonly Scenario[] = [
  ...RFC8867_SCENARIOS,
  ...LINK_SCENARIOS,
  ...FEEDBACK_SCENARIOS,
  ...ENCODER_SCENARIOS,
];
