/** The track of the selected feature: its list in the panel, and its trail on the map. */
import type { PublishedFile } from "../data/contract";
import { isInFrame, type Layer } from "../data/layer";
import type { Track } from "../data/layer.worker";
import { layerEntry, type Model } from "../data/published";
import { display } from "../data/text";
import { type Member, nearestAround, stopsOf } from "../data/tracks";
import type { Journey } from "../ui/journey";
import { announce } from "../ui/notices";
import type { PageMap } from "./pageMap";
import { framedLayers, modelOf, readOf, type State } from "./state";

export function followJourney(map: PageMap, journey: Journey): void {
  const { store, scene, worker } = map;
  /** Positions in the frame, of features of this visit's trails. */
  const known = new Map<string, number[]>();
  /** The track that was read last: it stays in the list while the visitor walks along it. */
  let latest: { tracks: PublishedFile; track: number; members: Member[] } | null = null;
  const parts = (state: State) => [state.layer, state.followed, readOf(state).layer, readOf(state).selected];
  store.follow(parts, async (state) => {
    const { layer, followed } = state;
    const model = modelOf(state);
    const read = readOf(state);
    // A feature of another model beside this one is in none of these tracks.
    if (!layer || !followed || !model?.atlas || read.layer?.modelId !== model.modelId) {
      journey.hide();
      return scene?.setTrail([]);
    }
    const { tracks } = model.atlas;
    if (latest?.tracks !== tracks || latest.track !== followed.track) latest = null;
    if (latest === null || !isInFrame(layer)) scene?.setTrail([]);
    const current = () => store.current.layer === layer && store.current.followed === followed;
    const around = nearestOf(state, model);
    const others = [around.previous, around.next].flatMap((stop) => stop ?? []);
    const show = (members: Member[], note: string | null) =>
      journey.show(stopsOf(members, around, followed), read.layer!.layer, note);
    const own: Member = { ...followed, cosine: null };
    show(latest?.members ?? [own], latest === null ? "Reading the other layers …" : null);
    let track: Track | null;
    try {
      const feature = { layer: followed.layer, index: followed.index };
      track = await worker.track({ manifestUrl: model.url.href, tracks, feature, others });
    } catch (error) {
      if (current()) show([own], (error as Error).message);
      return;
    }
    if (track === null || !current()) return;
    const { members, labels } = track;
    latest = { tracks, track: followed.track, members };
    others.forEach((stop, at) => {
      stop.label = labels[at];
    });
    const absence = read.selected === null ? absenceOf(members, read.layer!.layer) : null;
    show(members, absence);
    if (absence !== null) {
      announce(`Layer ${read.layer!.layer}. ${display(followed.label ?? "no label", 200)}: ${absence}`);
    }
    if (scene && isInFrame(layer) && members.length > 1) {
      await showTrail(map, members, layer, model, known, current);
    }
  });
}

function nearestOf(state: State, model: Model): ReturnType<typeof nearestAround> {
  const { layer, selected } = readOf(state);
  if (selected === null) return { previous: null, next: null };
  const layers = framedLayers(model);
  const at = layers.indexOf(layer!.layer);
  return nearestAround(layer!, selected, { previous: layers[at - 1] ?? null, next: layers[at + 1] ?? null });
}

function absenceOf(members: Member[], layer: number): string | null {
  const [first, last] = [members[0], members.at(-1)];
  if (!first || !last) return null;
  return last.layer < layer
    ? `Its track ends at layer ${last.layer}`
    : `Its track begins at layer ${first.layer}`;
}

/** Draws the trail as the positions of its features come in, one after another, the nearest layers first. */
async function showTrail(
  { scene, worker }: PageMap,
  members: Member[],
  { layer }: Layer,
  model: Model,
  known: Map<string, number[]>,
  current: () => boolean,
): Promise<void> {
  const here = members.findIndex((member) => member.layer === layer);
  const keyOf = (member: Member) => `${model.modelId}/${member.layer}/${member.index}`;
  const draw = () =>
    scene?.setTrail(
      members.map((member) => known.get(keyOf(member)) ?? null),
      here,
    );
  draw();
  const distance = (member: Member) => Math.abs(member.layer - layer);
  for (const member of members.toSorted((a, b) => distance(a) - distance(b))) {
    const table = layerEntry(model, member.layer)?.frame?.table;
    if (!table || known.has(keyOf(member))) continue;
    const feature = { layer: member.layer, index: member.index };
    // The trail has a gap where a table is not to be had.
    const position = await worker.position({ manifestUrl: model.url.href, table, feature }).catch(() => null);
    if (position !== null) known.set(keyOf(member), position);
    if (!current()) return;
    draw();
  }
}
