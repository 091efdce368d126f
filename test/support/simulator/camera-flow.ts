import { type AllocationReason, Allocator } from '../../../src/congestion/allocator/allocator.js';
import type { TrackDemand } from '../../../src/congestion/allocator/track-demand.js';
import type { SendSide } from '../../../src/congestion/send-side.js';
import { KeyFramePacer, type KeyFrameSource } from '../../../src/sender/outbound/key-frame-pacer.js';
import { PictureWatch } from './picture-watch.js';
import { type MediaPacket, packetSizes, SendingEnd, type SendingEndOptions } from './sending-end.js';
import type { SyntheticEncoder } from './synthetic-encoder.js';

/** A receiver asks for a packet again, and has it after this at the earliest. */
const NACK_US = 150_000;

/** A camera of a {@link CameraFlow}. */
export interface CameraPlan {
  readonly demand: TrackDemand;
  /** In the pacer: lower goes first. */
  readonly priority: number;
  readonly encoder: SyntheticEncoder;
}

/** What a {@link CameraFlow} is made of. */
export interface CameraFlowOptions extends Omit<SendingEndOptions<CameraPacket>, 'started' | 'arrived' | 'dropped'> {
  readonly cameras: readonly CameraPlan[];
  readonly framerate: number;
}

interface CameraPacket extends MediaPacket {
  readonly frame: number;
}

/** A camera while it runs. */
export interface RunningCamera extends KeyFrameSource {
  readonly plan: CameraPlan;
  readonly watch: PictureWatch;
  /** When it was paused or came back, and why. */
  readonly switches: { readonly atUs: number; readonly paused: boolean; readonly reason: AllocationReason }[];
  targetBps: number;
  paused: boolean;
  /** It makes no frame before this time, and then a key frame. Nothing: any frame will do. */
  keyFromUs: number | undefined;
}

/** Cameras that share a sender: the real allocator behind the real controller, priorities in the pacer, the sender's turns of key frames, lost packets sent again. */
export class CameraFlow {
  readonly #options: CameraFlowOptions;
  readonly #end: SendingEnd<CameraPacket>;
  readonly #allocator = new Allocator();
  readonly #keyFrames = new KeyFramePacer();
  /** The place of a camera is its SSRC. */
  readonly cameras: readonly RunningCamera[];

  constructor(options: CameraFlowOptions) {
    this.#options = options;
    this.cameras = options.cameras.map((plan) => ({
      plan,
      watch: new PictureWatch(),
      switches: [],
      targetBps: 0,
      paused: true,
      keyFromUs: 0,
      requestKeyFrame(fromUs: number) {
        this.keyFromUs = fromUs;
      },
    }));
    this.#end = new SendingEnd<CameraPacket>({
      ...options,
      started: (send) => this.#start(send),
      arrived: ({ ssrc, frame }) => this.cameras[ssrc]?.watch.arrived(frame, options.events.nowUs),
      dropped: (packet) => options.events.after(NACK_US, () => this.#resend(packet)),
    });
  }

  #send: SendSide<CameraPacket> | undefined;

  #start(send: SendSide<CameraPacket>): void {
    const { events, framerate } = this.#options;
    this.#send = send;
    const intervalUs = 1_000_000 / framerate;
    for (const [ssrc, camera] of this.cameras.entries()) {
      const encode = (): void => {
        events.after(intervalUs, encode);
        this.#encode(send, ssrc, camera);
      };
      events.after((ssrc * intervalUs) / this.cameras.length, encode);
    }
  }

  /** What is lost twice, or would have to wait, is made good by a key frame. */
  #resend(packet: CameraPacket): void {
    const camera = this.cameras[packet.ssrc];
    const send = this.#send;
    if (send === undefined || camera === undefined || camera.paused || camera.keyFromUs !== undefined) return;
    if (packet.frame < camera.watch.newestKeyFrame) return;
    if (packet.kind === 'retransmission' || send.mustSkipRetransmissions(camera.plan.priority)) {
      this.#startAnew(send, packet.ssrc);
      return;
    }
    send.enqueue({ ...packet, kind: 'retransmission' }, this.#options.events.nowUs);
    this.#end.arm();
  }

  #encode(send: SendSide<CameraPacket>, ssrc: number, camera: RunningCamera): void {
    const { events, record } = this.#options;
    const { plan, watch } = camera;
    const { nowUs } = events;
    record.target(nowUs, send.decision.targetBps, send.decision.limitedBy);
    this.#allocate(send);
    for (const packet of send.takeStale(nowUs)) this.#startAnew(send, packet.ssrc);
    if (camera.paused) return;
    const mustWait = send.mustSkipFrames(plan.priority);
    const isKey = camera.keyFromUs !== undefined;
    if (mustWait || nowUs < (camera.keyFromUs ?? nowUs)) {
      record.skipped();
      return;
    }
    if (isKey) {
      plan.encoder.forceKeyFrame();
      this.#keyFrames.made(camera, nowUs);
      camera.keyFromUs = undefined;
    }
    const sizes = packetSizes(plan.encoder.next(camera.targetBps, nowUs));
    const frame = watch.encoded(isKey, sizes.length, nowUs);
    for (const sizeBytes of sizes) {
      const { priority } = plan;
      send.enqueue({ kind: 'video', ssrc, priority, isKeyFrame: isKey, sizeBytes, encodedAtUs: nowUs, frame }, nowUs);
    }
    this.#end.arm();
  }

  /** Nothing of before its next key frame is of use any more. */
  #startAnew(send: SendSide<CameraPacket>, ssrc: number): void {
    const camera = this.cameras[ssrc];
    if (camera === undefined) return;
    this.#keyFrames.request(camera, this.#options.events.nowUs);
    send.pacer.remove((packet) => packet.ssrc === ssrc);
  }

  #allocate(send: SendSide<CameraPacket>): void {
    const { nowUs } = this.#options.events;
    // As the sender does: what is to be caught up with pauses nobody.
    const sustainedBps = Math.max(send.decision.sustainedBps, send.mediaTargetBps);
    const momentaryShare = send.mediaTargetBps / sustainedBps;
    const { tracks } = this.#allocator.update({
      nowUs,
      targetBps: sustainedBps,
      tracks: this.cameras.map(({ plan }) => plan.demand),
    });
    for (const { id, targetBps, paused, reason } of tracks) {
      const camera = this.cameras.find(({ plan }) => plan.demand.id === id);
      if (camera === undefined) continue;
      camera.targetBps = targetBps * momentaryShare;
      if (camera.paused === paused) continue;
      camera.paused = paused;
      if (!paused) this.#keyFrames.request(camera, nowUs);
      camera.switches.push({ atUs: nowUs, paused, reason });
    }
  }
}
