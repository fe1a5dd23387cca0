/** What a comparison says: its panel, the titles of both maps, the other layer in the feature's panel, and the lines. */
import { type Alone, aloneIn, counterparts, inOneFrame } from "../data/comparison";
import type { Layer } from "../data/layer";
import { counted, display, fold } from "../data/text";
import type { Frames } from "../scene/frames";
import { Joins } from "../scene/joins";
import { saysLittle } from "../scene/labelWords";
import { ComparisonPanel, type Side, shareOf } from "../ui/comparisonPanel";
import { byId } from "../ui/dom";
import { FeatureList } from "../ui/featureList";
import { announce } from "../ui/notices";
import type { Compare } from "./compare";
import type { PageMap } from "./pageMap";
import type { RegionChoice } from "./regions";
import type { Selection } from "./selection";
import { readOf, relationTo, type State, type Store } from "./state";

/** More search results are not joined: their lines would hide the maps. */
const MOST_JOINED = 60;

/** Two layers that are compared. */
interface Pair {
  sides: [Side, Side];
  /** By node of the first layer: the node of the second on the same track, or -1. Null where no tracks join them. */
  counterpart: Int32Array | null;
}

/** Returns the lines between the maps. */
export function followComparison(
  first: PageMap,
  second: PageMap,
  frames: Frames,
  compare: Compare,
  selection: Selection,
  regions: RegionChoice,
): Joins {
  const { store } = first;
  let pair: Pair | null = null;
  let lit = false;
  const events = (map: PageMap) => ({
    onWalk: (node: number) => selection.choose(node, map),
    onPreview: (node: number | null) => map.store.update({ pointedAt: node }),
    onRegion: (region: number) => regions.read(region, map),
  });
  const light = () => {
    [first, second].forEach((map, at) => {
      const nodes = pair?.sides[at]?.alone?.nodes ?? null;
      map.store.update({ alone: lit ? nodes : null });
    });
  };
  const panel = new ComparisonPanel({
    sides: [events(first), events(second)],
    onLight: (value) => {
      lit = value;
      light();
    },
    onClose: () => compare.end(),
  });
  selection.describeElsewhere = (state) => {
    const relation = pair && elsewhereOf(state, pair);
    return relation ? describe(relation) : "";
  };
  // One list for each half that the selected feature can be in.
  const elsewhere = [second, first].map((map) => new FeatureList(events(map), 1));
  elsewhere.forEach(({ element }, at) => {
    element.dataset.map = at === 0 ? "beside" : "first";
  });

  store.follow(
    ({ layer, beside }) => [layer, beside.layer],
    ({ layer, beside }) => {
      pair = layer && beside.layer && pairOf(layer, beside.layer);
      if (pair === null) lit = false;
      else {
        panel.show(pair.sides, noteOf(pair), factsOf(pair));
        announce(summaryOf(pair));
      }
      light();
      panel.showLit(lit);
    },
  );
  store.follow(
    ({ layer, beside, hits, selected, followed, region, inBeside }) => [
      ...[layer, hits, selected, followed, region, inBeside],
      ...[beside.layer, beside.hits, beside.selected],
    ],
    (state) => {
      const { beside, hits, selected, followed, region, inBeside } = state;
      const chosen = selected !== null || followed !== null || region !== null || inBeside;
      if (panel.hasFocus && (pair === null || chosen)) byId("map").focus();
      panel.setShown(pair !== null && !chosen);
      byId("title").hidden = pair === null;
      byId("other-hits").hidden = pair === null || beside.hits === null;
      selection.panel.elsewhere.replaceChildren();
      if (pair === null) return;
      const [left, right] = pair.sides;
      byId("title").textContent = titleOf(left, hits);
      byId("other-title").textContent = titleOf(right, beside.hits);
      byId("other-hits").textContent = `${right.name}: ${counted(beside.hits?.best ?? 0, "feature")}`;
      panel.showFound(right, beside.hits);
      const relation = elsewhereOf(state, pair);
      if (relation === null) return;
      const list = elsewhere[inBeside ? 1 : 0]!;
      showElsewhere(list, relation);
      selection.panel.elsewhere.append(list.element);
    },
  );
  const joins = new Joins(byId("stage"), first, second);
  frames.onFrame = () => joins.update();
  followJoins(store, joins, () => pair?.counterpart ?? null);
  return joins;
}

function pairOf(layer: Layer, other: Layer): Pair {
  const counterpart = counterparts(layer, other);
  const back = counterparts(other, layer);
  const side = (of: Layer, alone: Alone | null): Side => ({
    layer: of,
    name:
      layer.modelId === other.modelId
        ? `Layer ${of.layer}`
        : `${display(of.displayName, 40)}, layer ${of.layer}`,
    alone,
  });
  return {
    sides: [
      side(layer, counterpart && tellingFirst(aloneIn(layer, counterpart), layer)),
      side(other, back && tellingFirst(aloneIn(other, back), other)),
    ],
    counterpart,
  };
}

/** Function words go last. */
function tellingFirst(alone: Alone, { labels }: Layer): Alone {
  const little = (node: number) => Number(labels[node] == null || saysLittle(labels[node]));
  return { ...alone, nodes: alone.nodes.toSorted((a, b) => little(a) - little(b)) };
}

function noteOf({ sides: [first, second], counterpart }: Pair): string {
  if (inOneFrame(first.layer, second.layer))
    return "In one frame: the same position means the same on both maps.";
  const own = "Each is on its own map: positions on one say nothing about the other.";
  if (first.layer.modelId !== second.layer.modelId) return `Two models. ${own} No tracks join them.`;
  return counterpart === null ? `${own} No tracks join them here.` : own;
}

function factsOf({ sides: [first, second], counterpart }: Pair): [string, string][] {
  if (counterpart === null) {
    const labels = new Set(first.layer.labels.map((label) => fold(label ?? "")));
    labels.delete("");
    const shared = new Set(
      second.layer.labels.map((label) => fold(label ?? "")).filter((label) => labels.has(label)),
    );
    return [
      ...[first, second].map(({ name, layer }): [string, string] => [name, counted(layer.count, "feature")]),
      ["Labels that both have", shared.size.toLocaleString("en")],
    ];
  }
  const { count } = first.layer;
  const ending = first.alone!.nodes.length;
  const [one, two] = [first, second].map(({ name }) => name.toLowerCase());
  const inOrder = first.layer.layer < second.layer.layer;
  return [
    [inOrder ? `Go on in ${two}` : `Come from ${two}`, shareOf(count - ending, count)],
    [inOrder ? `End before ${two}` : `New since ${two}`, shareOf(ending, count)],
    [
      inOrder ? `New since ${one}` : `End before ${one}`,
      shareOf(second.alone!.nodes.length, second.layer.count),
    ],
  ];
}

function summaryOf(pair: Pair): string {
  const facts = factsOf(pair).map((fact) => fact.join(": "));
  return [pair.sides.map(({ name }) => name).join(" beside "), ...facts].join(". ");
}

function titleOf({ name }: Side, hits: State["hits"]): string {
  return hits === null ? name : `${name} · ${hits.best.toLocaleString("en")} found`;
}

/** Where the selected feature is in the layer of the other half. */
interface Elsewhere {
  there: Side;
  /** The one on its track, or else the nearest, if that is known. */
  feature: { node: number; cosine: number | null } | null;
  /** Says that its track does not reach that layer; null if it does. */
  absence: string | null;
}

/** Null if no feature is selected, or no tracks join the layers. */
function elsewhereOf(state: State, { sides }: Pair): Elsewhere | null {
  const { selected } = readOf(state);
  if (selected === null) return null;
  const [here, there] = state.inBeside ? [sides[1], sides[0]] : sides;
  const relation = relationTo(state, here.layer, selected, there.layer);
  if (relation === null) return null;
  if (relation.kind === "track") return { there, feature: relation, absence: null };
  const absence = `Its track does not reach ${there.name.toLowerCase()}.`;
  const { nearest } = relation;
  return { there, feature: nearest, absence: nearest === null ? absence : `${absence} Nearest there:` };
}

function showElsewhere(list: FeatureList, { there, feature, absence }: Elsewhere): void {
  const rows = feature === null ? [] : [{ ...feature, linked: absence === null, nearInBoth: false }];
  list.show(there.layer, `In ${there.name.toLowerCase()}`, absence, rows);
}

/** As a sentence. */
function describe({ there, feature, absence }: Elsewhere): string {
  if (feature === null) return `. ${absence}`;
  const label = display(there.layer.labels[feature.node] ?? "no label", 200);
  const cosine = feature.cosine === null ? "" : `, cosine ${feature.cosine.toFixed(2)}`;
  return `. ${absence ?? `In ${there.name.toLowerCase()}:`} ${label}${cosine}`;
}

/** Lines from the selected feature, the pinned ones and the search results to those on their tracks. */
function followJoins(store: Store, joins: Joins, counterpartNow: () => Int32Array | null): void {
  store.follow(
    ({ layer, selected, hits, pinnedNodes, shown, theme, beside }) => [
      ...[layer, selected, hits, pinnedNodes, shown, theme],
      ...[beside.layer, beside.shown],
    ],
    ({ selected, hits, pinnedNodes, shown, beside }) => {
      const counterpart = counterpartNow();
      const style = getComputedStyle(document.documentElement);
      const lines = (nodes: number[], color: string, width: number) =>
        nodes.flatMap((left) => {
          const right = counterpart?.[left] ?? -1;
          const hidden = right < 0 || shown?.[left] === 0 || beside.shown?.[right] === 0;
          return hidden ? [] : [{ left, right, color: style.getPropertyValue(color).trim(), width }];
        });
      const found = hits === null ? [] : hits.nodes.slice(0, hits.best);
      joins.show([
        ...lines(found.length > MOST_JOINED ? [] : found, "--link", 1),
        ...lines(pinnedNodes, "--pin", 1.5),
        ...lines(selected === null ? [] : [selected], "--accent", 2),
      ]);
    },
  );
}
