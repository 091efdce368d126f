// The sender without an encoder of its own: nothing here loads FFmpeg. For those who bring their own `VideoEncoderFactory`.
export type {
  AllocationReason,
  AllocationRequest,
  AllocationResult,
  TrackAllocation,
} from './congestion/allocator/allocator.js';
export { Allocator } from './congestion/allocator/allocator.js';
export type { LayerAllocation, LayerDemand, LayerReason, LayerRefusal } from './congestion/allocator/layer-division.js';
export type { TrackDemand } from './congestion/allocator/track-demand.js';
export type { Clock, Timer } from './core/clock.js';
export { SystemClock } from './core/clock.js';
export type { ErrorCode, ErrorContext } from './core/errors.js';
export { ERROR_CODES, FramelockError, isFramelockError } from './core/errors.js';
export type { IceServer } from './core/ice-server.js';
export type { LogFields, Logger } from './core/logger.js';
export type { Random } from './core/random.js';
export type {
  AudioCodec,
  AudioEncoder,
  AudioEncoderConfig,
  AudioEncoderFactory,
  EncodedAudioChunk,
} from './encoder/audio-encoder.js';
export type { AudioChannels, AudioSampleFormat, AudioSampleRate, RawAudioData } from './encoder/audio-frame.js';
export type {
  EncodedVideoChunk,
  FrameInput,
  MediaEncoder,
  ReadResult,
  SkipReason,
  SvcMetadata,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from './encoder/encoder.js';
export type { FallbackOptions } from './encoder/fallback-encoder-factory.js';
export { FallbackEncoderFactory } from './encoder/fallback-encoder-factory.js';
export type { ScalabilityMode } from './encoder/temporal-layers.js';
export type { PlaneLayout, RawVideoFrame, VideoPixelFormat } from './encoder/video-frame.js';
export type { PlayoutDelay } from './rtp/header-extensions.js';
export type { RtpCodec } from './rtp/rtp-codec.js';
export type { BitrateAllocation, TrackShare } from './sender/allocation/allocation.js';
export type { ConnectOptions } from './sender/connection/connector.js';
export type { Negotiate } from './sender/connection/signaller-from-negotiation.js';
export type { DegradationPreference } from './sender/encoding/resolution-governor.js';
export type { CloseReport, CloseStep } from './sender/operations/close-report.js';
export type { CongestionStats } from './sender/outbound/congestion-driver.js';
export { RtcSender } from './sender/rtc-sender.js';
export type { EncoderSwapped, SenderErrorEvent, SenderEvents } from './sender/sender-events.js';
export type { CongestionControl, RtcSenderOptions } from './sender/sender-options.js';
export type { DropReason, EncodedFrameReport, FrameReport, FrameTimes } from './sender/stats/frame-report.js';
export type { EncodingGrant, SenderGrants, SenderStats } from './sender/stats/sender-stats.js';
export type { EncodingCondition, TrackCondition } from './sender/stats/track-condition.js';
export type { TrackHealth } from './sender/stats/track-health.js';
export type { EncodingStats, RemoteInboundStats, TrackStats } from './sender/stats/track-stats.js';
export type {
  CandidatePairStats,
  CandidateStats,
  CodecStats,
  MediaSourceStats,
  OutboundRtpStats,
  RemoteInboundRtpStats,
  StatsEntry,
  StatsReport,
  TransportEntry,
} from './sender/stats/w3c-stats.js';
export type { VideoConfigChange } from './sender/tracks/camera-layer.js';
export type { EncodedAudioInput, EncodedVideoInput } from './sender/tracks/encoded-track.js';
export type { EncodingSpec } from './sender/tracks/encodings.js';
export type { TrackHandle, TrackRef } from './sender/tracks/track-handle.js';
export type { TrackActivity } from './sender/tracks/track-host.js';
export type {
  AudioTrackSpec,
  EncodedAudioTrackSpec,
  EncodedVideoTrackSpec,
  VideoTrackSpec,
} from './sender/tracks/track-specs.js';
export { registerSenderMetrics } from './service/sender-metrics.js';
export type { JanusSignallerOptions } from './signalling/janus/janus-options.js';
export { JanusSignaller } from './signalling/janus/janus-signaller.js';
export type { LiveKitSignallerOptions } from './signalling/livekit/livekit-options.js';
export { LiveKitSignaller } from './signalling/livekit/livekit-signaller.js';
export type { LiveKitTokenOptions } from './signalling/livekit/livekit-token.js';
export { liveKitToken } from './signalling/livekit/livekit-token.js';
export type {
  SignalledEncoding,
  SignalledTrack,
  Signaller,
  SignallingAnswer,
  SignallingCloseResult,
} from './signalling/signaller.js';
export type { WhipSignallerOptions } from './signalling/whip/whip-signaller.js';
export { WhipSignaller } from './signalling/whip/whip-signaller.js';
export { readBarCode } from './source/bar-code.js';
export type { FrameSink, FrameSource, FrameSourceFormat } from './source/frame-source.js';
export type { TestPatternOptions } from './source/test-pattern/test-pattern-source.js';
export { TestPatternSource } from './source/test-pattern/test-pattern-source.js';
export type {
  EncodingWish,
  MediaTransport,
  MediaTransportFactory,
  NegotiatedTrack,
  RestartExchange,
  RestartOptions,
  TransportObserver,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from './transport/media-transport.js';
export type { NodeDatachannelTransportOptions } from './transport/node-datachannel/node-datachannel-transport-factory.js';
export { createNodeDatachannelTransportFactory } from './transport/node-datachannel/node-datachannel-transport-factory.js';
export type { WeriftTransportOptions } from './transport/werift/werift-transport-factory.js';
export { createWeriftTransportFactory } from './transport/werift/werift-transport-factory.js';
