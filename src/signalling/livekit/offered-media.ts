/** What our offer says of an m-line by which something is sent. */
export interface OfferedMedia {
  readonly mid: string;
  /** The track part of its `msid`. */
  readonly cid: string;
  readonly media: 'video' | 'audio';
  /** Encoding name of the codec that it begins with, in lower case: `vp8`. */
  readonly codec: string;
  /** Of its encodings; none where it is not simulcast. */
  readonly rids: readonly string[];
  readonly stereo: boolean;
  readonly dtx: boolean;
}

const SIMULCAST = 'a=simulcast:send ';

/** The m-lines of an offer by which something is sent. What has no `msid` has no name to be announced by, and is left out. */
export function readOffer(sdp: string): readonly OfferedMedia[] {
  return sectionsOf(sdp).flatMap((section) => {
    const [, kind, payloadType] = /^m=(video|audio) \d+ \S+ (\d+)/.exec(section) ?? [];
    const mid = attributeOf(section, 'mid');
    const cid = attributeOf(section, 'msid')?.split(' ')[1];
    if (kind === undefined || mid === undefined || cid === undefined || !/^a=sendonly\r?$/m.test(section)) return [];
    const codec = new RegExp(`^a=rtpmap:${payloadType} ([^/\r\n]+)`, 'm').exec(section)?.[1]?.toLowerCase() ?? '';
    return [
      {
        mid,
        cid,
        media: kind === 'video' ? 'video' : 'audio',
        codec,
        rids: new RegExp(`^${SIMULCAST}(\\S+)`, 'm').exec(section)?.[1]?.split(';') ?? [],
        stereo: /\bsprop-stereo=1\b/.test(section),
        dtx: /\busedtx=1\b/.test(section),
      } as const,
    ];
  });
}

/** The offer with the rids of its m-lines in another order. @param ordered by mid; m-lines that it does not name stay as they are */
export function reorderRids(sdp: string, ordered: ReadonlyMap<string, readonly string[]>): string {
  return splitSections(sdp)
    .map((section) => {
      const rids = ordered.get(attributeOf(section, 'mid') ?? '');
      if (rids === undefined || rids.length === 0) return section;
      return section.replace(new RegExp(`^${SIMULCAST}\\S+`, 'm'), `${SIMULCAST}${rids.join(';')}`);
    })
    .join('');
}

/** An answer with candidates that came beside it, in its first m-line, which stands for all (RFC 9143 section 7.1.3). */
export function withCandidates(sdp: string, candidates: readonly string[]): string {
  const lines = candidates.map((candidate) => `a=${candidate}\r\n`).join('');
  const [session = '', first, ...others] = splitSections(sdp);
  if (first === undefined) return sdp;
  const ended = first.endsWith('\n') ? first : `${first}\r\n`;
  return [session, ended, lines, ...others].join('');
}

function sectionsOf(sdp: string): readonly string[] {
  return splitSections(sdp).slice(1);
}

/** The session's part, and one for each m-line; put together they are the description again. */
function splitSections(sdp: string): readonly string[] {
  return sdp.split(/^(?=m=)/m);
}

function attributeOf(section: string, name: string): string | undefined {
  return new RegExp(`^a=${name}:([^\r\n]+)`, 'm').exec(section)?.[1];
}
