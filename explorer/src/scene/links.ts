/**
 * The strongest links in one draw call, as lines whose opacity shows the cosine; the selected feature's again, wider.
 */
import { BufferAttribute, BufferGeometry, type Color, LineSegments, ShaderMaterial, Sphere } from "three";
import { type Layer, neighborsOf } from "../data/layer";
import { LinkOrder } from "./linkOrder";
import { Mark, type SharedUniforms } from "./points";
import type { WideLines } from "./wideLines";

/** Of the map's radius: a link of this length is half as opaque as a very short one. Those across the map recede. */
const FADE_LENGTH = 0.15;
/** Fewer links than these hide nothing: the fewer there are, the longer they may be. */
const FEW = 2000;
/** Pixels that half the map takes where lines begin to show in full. */
const FULL_RADIUS = 450;
/** Opacity, in steps of a colour. */
const FAINTEST = 2.5 / 255;

const VERTEX = /* glsl */ `
  attribute vec3 tint;
  attribute float alpha;
  attribute float mark;
  uniform float fadeNear;
  uniform float fadeFar;
  uniform float dimming;
  uniform float opacity;
  varying vec3 vTint;
  varying float vAlpha;

  void main() {
    vec4 seen = modelViewMatrix * vec4(position, 1.0);
    float far = smoothstep(fadeNear, fadeFar, -seen.z);
    vTint = tint;
    vAlpha = opacity * alpha * (1.0 - 0.9 * far) * (mark == 1.0 ? 1.0 - 0.85 * dimming : 1.0);
    gl_Position = mark == 3.0 ? vec4(0.0, 0.0, 2.0, 1.0) : projectionMatrix * seen;
  }
`;

const FRAGMENT = /* glsl */ `
  varying vec3 vTint;
  varying float vAlpha;

  void main() {
    gl_FragColor = vec4(vTint, vAlpha);
  }
`;

/** One for all maps: compiling it takes longer than a frame. */
export function linkMaterial(shared: SharedUniforms): ShaderMaterial {
  return new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: { ...shared, opacity: { value: 1 } },
    transparent: true,
    depthWrite: false,
  });
}

export class FeatureLinks {
  readonly object: LineSegments<BufferGeometry, ShaderMaterial>;
  readonly order: LinkOrder;
  /** The nodes at the ends of the drawn links, two per link. */
  private ends = new Uint32Array();
  private colors: Uint8Array;
  private marks: Uint8Array;

  constructor(
    private readonly layer: Layer,
    material: ShaderMaterial,
  ) {
    this.order = new LinkOrder(layer.edges.weight);
    this.colors = new Uint8Array(3 * layer.count);
    this.marks = new Uint8Array(layer.count);
    this.object = new LineSegments(new BufferGeometry(), material);
    this.object.frustumCulled = false;
    this.show(0);
  }

  /** Draws the `count` strongest links. */
  show(count: number): void {
    const { source, target, weight } = this.layer.edges;
    const { positions, radius } = this.layer;
    const [weakest, strongest] = this.order.range;
    // The more links there are, the fainter each.
    const opacity = Math.min(0.9, 0.9 * Math.sqrt(8000 / Math.max(count, 1)));
    const fadeLength = FADE_LENGTH * radius * Math.max(1, FEW / Math.max(count, 1));
    const ends: number[] = [];
    const alphas: number[] = [];
    for (const edge of this.order.edges.subarray(0, count)) {
      const [a, b] = [source[edge]!, target[edge]!];
      const length = Math.hypot(
        positions[3 * a]! - positions[3 * b]!,
        positions[3 * a + 1]! - positions[3 * b + 1]!,
        positions[3 * a + 2]! - positions[3 * b + 2]!,
      );
      const strength = 0.45 + 0.55 * ((weight[edge]! - weakest) / (strongest - weakest || 1));
      const alpha = (opacity * strength) / (1 + (length / fadeLength) ** 3);
      // Not drawn: lines across the whole map take most of a frame's time, and this faint they show nothing.
      if (alpha < FAINTEST) continue;
      ends.push(a, b);
      alphas.push(alpha, alpha);
    }
    this.ends = Uint32Array.from(ends);
    this.object.geometry.dispose();
    const geometry = new BufferGeometry();
    geometry.boundingSphere = new Sphere();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(3 * ends.length), 3));
    geometry.setAttribute("alpha", new BufferAttribute(Float32Array.from(alphas), 1));
    geometry.setAttribute("tint", new BufferAttribute(new Uint8Array(3 * ends.length), 3, true));
    geometry.setAttribute("mark", new BufferAttribute(new Uint8Array(ends.length), 1));
    this.object.geometry = geometry;
    this.copyToEnds(positions, "position");
    this.setColors(this.colors);
    this.setMarks(this.marks);
  }

  setColors(colors: Uint8Array): void {
    this.colors = colors;
    this.copyToEnds(colors, "tint");
  }

  /** A link is hidden or dimmed if either of its ends is. */
  setMarks(marks: Uint8Array): void {
    this.marks = marks;
    const values = this.attribute("mark");
    for (let at = 0; at < values.length; at += 2) {
      const [from, to] = [marks[this.ends[at]!], marks[this.ends[at + 1]!]];
      let mark = Mark.plain;
      if (from === Mark.dimmed || to === Mark.dimmed) mark = Mark.dimmed;
      if (from === Mark.hidden || to === Mark.hidden) mark = Mark.hidden;
      values.fill(mark, at, at + 2);
    }
  }

  /**
   * `unit`: pixels that a map unit takes where the eye looks. Lines are as wide on a small picture as on a large one,
   * so that they would hide the points, which shrink. `weight`: 0..1, how strongly lines show.
   */
  setViewport(unit: number, weight: number): void {
    const share = (unit * this.layer.radius) / FULL_RADIUS;
    this.object.material.uniforms.opacity!.value = weight * Math.min(1, share);
    this.object.visible = weight > 0 && this.ends.length > 0;
  }

  dispose(): void {
    this.object.geometry.dispose();
  }

  /** Copies triples of nodes to the ends of the drawn links. */
  private copyToEnds(ofNodes: Float32Array | Uint8Array, name: string): void {
    const values = this.attribute(name);
    this.ends.forEach((node, at) => {
      values[3 * at] = ofNodes[3 * node]!;
      values[3 * at + 1] = ofNodes[3 * node + 1]!;
      values[3 * at + 2] = ofNodes[3 * node + 2]!;
    });
  }

  private attribute(name: string): Float32Array | Uint8Array {
    const attribute = this.object.geometry.getAttribute(name) as BufferAttribute;
    attribute.needsUpdate = true;
    return attribute.array as Float32Array | Uint8Array;
  }
}

/** Links of one feature, above which each becomes fainter. */
const MANY = 20;

/** The links of the selected feature, those to nodes that are shown, wide and on top of everything else. */
export function showSelectedLinks(
  lines: WideLines,
  { links, positions }: Layer,
  node: number | null,
  isShown: (node: number) => boolean,
  color: Color,
  background: Color,
): void {
  const all = node === null ? [] : neighborsOf(links, node);
  const drawn = all.filter(({ node: other }) => isShown(other));
  const at = (end: number) => positions.subarray(3 * end, 3 * end + 3);
  const faded = (share: number) => color.clone().lerp(background, share);
  // A hundred links in full strength would hide what they lead to.
  const opacity = Math.min(0.9, Math.max(0.4, 0.9 * Math.sqrt(MANY / drawn.length)));
  lines.show(
    drawn.map(({ node: other, cosine }) => {
      const weakness = 1 - (cosine / all[0]!.cosine) ** 2;
      return {
        ends: [...at(node!), ...at(other)],
        colors: [faded(0.1 + 0.3 * weakness), faded(0.2 + 0.55 * weakness)],
      };
    }),
    opacity,
  );
}
