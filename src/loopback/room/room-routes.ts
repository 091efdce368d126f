import { readText, sendJson } from '../http/http-body.js';
import { HttpProblem } from '../http/http-problem.js';
import type { HttpExchange, RawRoute } from '../http/http-route.js';
import { parseOffer } from '../sdp/sdp-offer.js';
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
    ...session('whep'),
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
  const { request, response, params } = exchange;
  const name = params['room'] ?? '';
  const offer = parseOffer(await readText(request, 'application/sdp'));
  const room = rooms.enter(name);
  try {
    const opened = await (method === 'whip' ? room.publish(offer) : viewUnlessFull(room, offer));
    const location = `/${method}/${name}/${opened.id}`;
    response.writeHead(201, { 'content-type': 'application/sdp', location }).end(opened.answer);
  } finally {
    rooms.leave(name);
  }
}

function viewUnlessFull(room: Room, offer: ReturnType<typeof parseOffer>): Promise<OpenedRoomSession> {
  if (room.full)
    throw new HttpProblem(503, `room ${room.name} has as many viewers as it takes`, { 'retry-after': '1' });
  return room.view(offer);
}

function leave(rooms: RoomRegistry, { response, params }: HttpExchange): void {
  const { room = '', session = '' } = params;
  if (rooms.find(room)?.end(session) !== true) throw new HttpProblem(404, 'there is no such session');
  response.writeHead(200).end();
}

function emptyRoom(room: string): RoomSnapshot {
  return { room, revision: 0, publisher: null, tracks: [], viewers: [] };
}
