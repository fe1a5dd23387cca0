/** All links in one draw call, as lines whose opacity shows the cosine; the selected feature's again, wider. */
import { BufferAttribute, BufferGeometry, type Color, LineSegments, ShaderMaterial } from "three";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { LineSegments2 } from "three/examples/jsm/lines/LineSegments2.js";
import { LineSegmentsGeometry } from "three/examples/jsm/lines/LineSegmentsGeometry.js";
import type { Layer } from "../data/layer";
import { Mark, type SharedUniforms } from "./points";

const VERTEX = /* glsl */ `
  attribute vec3 tint;
  attribute float strength;
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
    vAlpha = opacity * strength * (1.0 - 0.9 * far) * (mark == 1.0 ? 1.0 - 0.85 * dimming : 1.0);
    gl_Position = projectionMatrix * seen;
  }
`;

const FRAGMENT = /* glsl */ `
  varying vec3 vTint;
  varying float vAlpha;

  void main() {
    gl_FragColor = vec4(vTint, vAlpha);
  }
`;

export class FeatureLinks {
  readonly object: LineSegments<BufferGeometry, ShaderMaterial>;
  private readonly edges: Layer["edges"];

  constructor(layer: Layer, shared: SharedUniforms) {
    this.edges = layer.edges;
    const { source, target, weight } = layer.edges;
    const count = weight.length;
    const positions = new Float32Array(6 * count);
    const strengths = new Uint8Array(2 * count);
    const weakest = weight.reduce((low, value) => Math.min(low, value), 1);
    for (let edge = 0; edge < count; edge++) {
      positions.set(layer.positions.subarray(3 * source[edge]!, 3 * source[edge]! + 3), 6 * edge);
      positions.set(layer.positions.subarray(3 * target[edge]!, 3 * target[edge]! + 3), 6 * edge + 3);
      const strength = 0.25 + 0.75 * ((weight[edge]! - weakest) / (1 - weakest || 1));
      strengths.fill(Math.round(255 * strength), 2 * edge, 2 * edge + 2);
    }
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(positions, 3));
    geometry.setAttribute("strength", new BufferAttribute(strengths, 1, true));
    geometry.setAttribute("tint", new BufferAttribute(new Uint8Array(6 * count), 3, true));
    geometry.setAttribute("mark", new BufferAttribute(new Uint8Array(2 * count), 1));
    const material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      // The more links there are, the fainter each.
      uniforms: { ...shared, opacity: { value: Math.min(0.9, 0.75 * Math.sqrt(3000 / Math.max(count, 1))) } },
      transparent: true,
      depthWrite: false,
    });
    this.object = new LineSegments(geometry, material);
    this.object.frustumCulled = false;
  }

  setColors(colors: Uint8Array): void {
    const tint = this.attribute("tint");
    const { source, target } = this.edges;
    for (let edge = 0; edge < source.length; edge++) {
      tint.set(colors.subarray(3 * source[edge]!, 3 * source[edge]! + 3), 6 * edge);
      tint.set(colors.subarray(3 * target[edge]!, 3 * target[edge]! + 3), 6 * edge + 3);
    }
  }

  /** A link is dimmed if either of its ends is. */
  setMarks(marks: Uint8Array): void {
    const values = this.attribute("mark");
    this.edges.source.forEach((node, edge) => {
      const back = marks[node] === Mark.dimmed || marks[this.edges.target[edge]!] === Mark.dimmed;
      values.fill(back ? Mark.dimmed : Mark.plain, 2 * edge, 2 * edge + 2);
    });
  }

  dispose(): void {
    this.object.geometry.dispose();
    this.object.material.dispose();
  }

  private attribute(name: string): Uint8Array {
    const attribute = this.object.geometry.getAttribute(name) as BufferAttribute;
    attribute.needsUpdate = true;
    return attribute.array as Uint8Array;
  }
}

/** The links of one feature, drawn wide and on top of everything else. */
export class SelectedLinks {
  readonly object: LineSegments2;
  private readonly material = new LineMaterial({
    linewidth: 2,
    vertexColors: true,
    transparent: true,
    opacity: 0.9,
    depthTest: false,
  });

  constructor() {
    this.object = new LineSegments2(new LineSegmentsGeometry(), this.material);
    this.object.frustumCulled = false;
    this.object.visible = false;
    this.object.renderOrder = 2;
  }

  show(layer: Layer | null, node: number | null, color: Color, background: Color): void {
    this.object.geometry.dispose();
    this.object.visible = false;
    if (layer === null || node === null) return;
    const { offset, neighbor, weight } = layer.links;
    const positions: number[] = [];
    const colors: number[] = [];
    const strongest = weight[offset[node]!] ?? 1;
    for (let at = offset[node]!; at < offset[node + 1]!; at++) {
      const other = neighbor[at]!;
      positions.push(
        ...layer.positions.subarray(3 * node, 3 * node + 3),
        ...layer.positions.subarray(3 * other, 3 * other + 3),
      );
      const near = color.clone().lerp(background, 0.1);
      const far = color.clone().lerp(background, 0.75 - 0.55 * (weight[at]! / strongest) ** 2);
      colors.push(...near.toArray(), ...far.toArray());
    }
    if (positions.length === 0) return;
    const geometry = new LineSegmentsGeometry();
    geometry.setPositions(positions);
    geometry.setColors(colors);
    this.object.geometry = geometry;
    this.object.visible = true;
  }
}
