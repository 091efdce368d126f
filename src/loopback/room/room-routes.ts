import { readJson, readText, sendJson } from '../http/http-body.js';
import { HttpProblem } from '../http/http-problem.js';
import type { HttpExchange, RawRoute } from '../http/http-route.js';
import { buildFragment, FRAGMENT_TYPE, parseFragment } from '../sdp/ice-fragment.js';
import { parseOffer } from '../sdp/sdp-offer.js';
import type { PublisherSession } from './publisher-session.js';
import type { OpenedRoomSession, Room } from './room.js';
import type { RoomRegistry } from './room-registry.js';
import type { RoomSnapshot } from './room-snapshot.js';

/** WHIP (RFC 9725) in, WHEP (draft-ietf-wish-whep) out, without trickle; and what the rooms look like. */
export function roomRoutes(rooms: RoomRegistry): RawRoute[] {
  const session = (method: 'whip' | 'whep'): RawRoute[] => [
    { method: 'POST', path: `/${method}/{room}`, handle: (exchange) => join(rooms, method, exchange) },
    { method: 'DELETE', path: `/${method}/{room}/{session}`, handle: (exchange) => leave(rooms, exchange) },
  ];
  return [
    ...session('whip'),
    { method: 'PATCH', path: '/whip/{room}/{session}', handle: (exchange) => patchIce(rooms, exchange) },
    ...session('whep'),
    { method: 'PUT', path: '/whep/{room}/{session}/layer', handle: (exchange) => chooseLayer(rooms, exchange) },
    { method: 'GET', path: '/rooms', handle: ({ response }) => sendJson(response, 200, rooms.snapshots()) },
    {
      method: 'GET',
      path: '/rooms/{room}',
      handle: ({ response, params }) => {
        const name = params['room'] ?? '';
        sendJson(response, 200, rooms.find(name)?.snapshot() ?? emptyRoom(name));
      },
    },
    {
      method: 'GET',
      path: '/rooms/{room}/events',
      handle: ({ response, params }) => rooms.listen(params['room'] ?? '', response),
    },
  ];
}

async function join(rooms: RoomRegistry, method: 'whip' | 'whep', exchange: HttpExchange): Promise<void> {
  const { request, response, params, query } = exchange;
  const name = params['room'] ?? '';
  const offer = parseOffer(await readText(request, 'application/sdp'));
  const room = rooms.enter(name);
  try {
    const opened = await (method === 'whip'
      ? room.publish(offer)
      : viewUnlessFull(room, offer, query.get('rid') ?? undefined));
    const location = `/${method}/${name}/${opened.id}`;
    const etag: Record<string, string> = method === 'whip' ? { etag: tagOf(room.publisher(opened.id)) } : {};
    response.writeHead(201, { 'content-type': 'application/sdp', location, ...etag }).end(opened.answer);
  } finally {
    rooms.leave(name);
  }
}

function viewUnlessFull(
  room: Room,
  offer: ReturnType<typeof parseOffer>,
  rid: string | undefined,
): Promise<OpenedRoomSession> {
  if (room.full)
    throw new HttpProblem(503, `room ${room.name} has as many viewers as it takes`, { 'retry-after': '1' });
  return room.view(offer, rid);
}

function leave(rooms: RoomRegistry, { response, params }: HttpExchange): void {
  const { room = '', session = '' } = params;
  if (rooms.find(room)?.end(session) !== true) throw new HttpProblem(404, 'there is no such session');
  response.writeHead(200).end();
}

/** `{ "rid": "q", "index": 0 }`: the encoding that a viewer is to see from now on, at one place or at all. */
async function chooseLayer(rooms: RoomRegistry, { request, response, params }: HttpExchange): Promise<void> {
  const { room = '', session = '' } = params;
  const choice = await readJson(request);
  const { rid, index } = typeof choice === 'object' && choice !== null ? (choice as Record<string, unknown>) : {};
  if (typeof rid !== 'string') throw new HttpProblem(400, 'name an encoding: { "rid": "q" }');
  if (index !== undefined && !Number.isInteger(index)) throw new HttpProblem(400, 'index must be a whole number');
  const viewer = rooms.find(room)?.viewer(session);
  if (viewer === undefined) throw new HttpProblem(404, 'there is no such session');
  viewer.choose(rid, index as number | undefined);
  response.writeHead(204).end();
}

/** An ICE restart (RFC 9725 section 4.3.3), or candidates (section 4.3.1), which are of no use to a lite agent. */
async function patchIce(rooms: RoomRegistry, { request, response, params }: HttpExchange): Promise<void> {
  const { room = '', session = '' } = params;
  const match = request.headers['if-match'];
  if (match === undefined)
    throw new HttpProblem(428, 'a patch needs If-Match: "*" for an ICE restart, or the entity tag');
  const remote = parseFragment(await readText(request, FRAGMENT_TYPE));
  const publisher = rooms.find(room)?.publisher(session);
  if (publisher === undefined) throw new HttpProblem(404, 'there is no such session');
  if (match !== '"*"' && match !== '*') {
    if (match !== tagOf(publisher)) throw new HttpProblem(412, 'this is not the entity tag of the ICE session');
    response.writeHead(204).end();
    return;
  }
  const local = await publisher.restartIce(remote);
  response.writeHead(200, { 'content-type': FRAGMENT_TYPE, etag: tagOf(publisher) }).end(buildFragment(local));
}

/** Of the ICE session: another one after each restart. */
function tagOf(publisher: PublisherSession | undefined): string {
  return `"${publisher?.iceUfrag ?? ''}"`;
}

function emptyRoom(room: string): RoomSnapshot {
  return { room, revision: 0, publisher: null, tracks: [], viewers: [] };
}
