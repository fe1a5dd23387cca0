/** All features in one draw call: shaded discs whose size and colour fade with distance. */
import { BufferAttribute, BufferGeometry, Color, NoBlending, Points, ShaderMaterial, Sphere } from "three";
import { type Layer, linkCount } from "../data/layer";
import type { Glide } from "./glide";

/** How a point is drawn. */
export enum Mark {
  plain = 0,
  /** Others are searched for or selected. */
  dimmed = 1,
  /** A search result, the selected feature, or one linked to it. */
  lit = 2,
  /** Filtered out. */
  hidden = 3,
}

/** Uniforms shared by points and links, so that both fade alike. */
export function sharedUniforms() {
  return {
    background: { value: new Color() },
    /** Depths, in map units, at which fading begins and ends. */
    fadeNear: { value: 1 },
    fadeFar: { value: 1 },
    /** 0..1: how much dimmed points and links fade. */
    dimming: { value: 0 },
  };
}

export type SharedUniforms = ReturnType<typeof sharedUniforms>;

/** CSS pixels that a disc's diameter approaches, but never reaches, as the eye comes closer. */
export const LARGEST = 44;

/** Radius on the screen of a disc to which plain perspective would give `radius`; both in CSS pixels. */
export function radiusOnScreen(radius: number): number {
  return radius / (1 + (2 * radius) / LARGEST);
}

const VERTEX = /* glsl */ `
  const float LARGEST = ${LARGEST}.0;
  const float SMALLEST = 1.6;
  attribute vec3 tint;
  attribute float relativeSize;
  attribute float mark;
  // While the points glide from another map: where they come from, and how visible they were.
  attribute vec3 origin;
  attribute float visibleBefore;
  uniform float glided;
  uniform float visibleAfter;
  uniform float pixelsPerUnit;
  uniform float pixelRatio;
  uniform float pointRadius;
  uniform float fadeNear;
  uniform float fadeFar;
  uniform float dimming;
  varying vec3 vTint;
  varying float vFade;
  varying float vPixels;
  varying float vDrawn;

  void main() {
    float visible = mark == 3.0 ? 0.0 : mix(visibleBefore, visibleAfter, glided);
    vec4 seen = modelViewMatrix * vec4(mix(origin, position, glided), 1.0);
    float depth = max(-seen.z, 0.01);
    float dimmed = mark == 1.0 ? dimming : 0.0;
    float grown = (mark == 2.0 ? 1.5 : 1.0 - 0.3 * dimmed) * (0.4 + 0.6 * visible);
    float plain = 2.0 * pointRadius * relativeSize * grown * pixelsPerUnit / depth;
    vPixels = plain / (1.0 + plain / (LARGEST * pixelRatio));
    vDrawn = max(vPixels, max(SMALLEST * pixelRatio, 1.0));
    gl_PointSize = vDrawn;
    // A disc smaller than the smallest point spreads its light over that point.
    float light = max(0.5, pow(vPixels / vDrawn, 2.0));
    vTint = tint;
    float far = smoothstep(fadeNear, fadeFar, depth);
    vFade = 1.0 - visible * light * (1.0 - (mark == 2.0 ? 0.35 : 0.74) * far) * (1.0 - 0.86 * dimmed);
    gl_Position = visible < 0.01 ? vec4(0.0, 0.0, 2.0, 1.0) : projectionMatrix * seen;
    // Lit points are drawn in front of dimmed ones.
    if (mark == 2.0 && visible >= 0.01) gl_Position.z = mix(gl_Position.z, -gl_Position.w, 0.9);
  }
`;

const FRAGMENT = /* glsl */ `
  uniform vec3 background;
  varying vec3 vTint;
  varying float vFade;
  varying float vPixels;
  varying float vDrawn;

  void main() {
    vec2 at = 2.0 * gl_PointCoord - 1.0;
    float distance = length(at);
    // Soft over about one pixel. A wider edge would take the light from small points.
    float coverage = clamp(0.5 * (1.0 - distance) * vDrawn + 0.3, 0.0, 1.0);
    if (distance > 1.0) discard;
    vec3 normal = vec3(at.x, -at.y, sqrt(max(0.0, 1.0 - distance * distance)));
    float light = 0.66 + 0.42 * max(0.0, dot(normal, normalize(vec3(-0.45, 0.65, 0.75))));
    vec3 color = mix(vTint, vTint * light, smoothstep(3.0, 9.0, vPixels));
    gl_FragColor = vec4(mix(color, background, vFade), coverage);
  }
`;

export class FeaturePoints {
  readonly object: Points<BufferGeometry, ShaderMaterial>;
  /** (3 * count,) where the points are now: their positions in the layer unless they glide. */
  positions: Float32Array;
  /** Null unless the points are on their way from another map, or fade out. */
  glide: Glide | null = null;
  /** Base radius of the discs, in map units; links make them larger. */
  readonly radius: number;
  private readonly sizes: Float32Array;

  constructor(layer: Layer, shared: SharedUniforms) {
    this.positions = layer.positions;
    // Together the discs cover the same share of the picture, however many there are.
    this.radius = (0.0108 * layer.radius) / Math.sqrt(layer.count / 2048);
    this.sizes = Float32Array.from(
      { length: layer.count },
      (_, node) => 0.8 + 0.17 * Math.min(6, Math.sqrt(linkCount(layer, node))),
    );
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(layer.positions, 3));
    geometry.setAttribute("tint", new BufferAttribute(new Uint8Array(3 * layer.count), 3, true));
    geometry.setAttribute("relativeSize", new BufferAttribute(this.sizes, 1));
    geometry.setAttribute("mark", new BufferAttribute(new Uint8Array(layer.count), 1));
    // Given, as three.js would compute it from all points to sort four objects.
    geometry.boundingSphere = new Sphere();
    const material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      uniforms: {
        ...shared,
        pixelsPerUnit: { value: 1 },
        pixelRatio: { value: 1 },
        pointRadius: { value: this.radius },
        glided: { value: 1 },
        visibleAfter: { value: 1 },
      },
      alphaToCoverage: true,
      // Drawn after the links, which would otherwise veil the points behind them.
      transparent: true,
      blending: NoBlending,
    });
    this.object = new Points(geometry, material);
    this.object.renderOrder = 1;
    this.object.frustumCulled = false;
  }

  setColors(colors: Uint8Array): void {
    this.write("tint", colors);
  }

  setMarks(marks: Uint8Array): void {
    this.write("mark", marks);
  }

  setViewport(pixelsPerUnit: number, pixelRatio: number): void {
    this.object.material.uniforms.pixelsPerUnit!.value = pixelsPerUnit * pixelRatio;
    this.object.material.uniforms.pixelRatio!.value = pixelRatio;
  }

  /** Moves the points from now on as `glide` does. */
  beginGlide(glide: Glide): void {
    this.glide = glide;
    this.positions = glide.positions;
    const { geometry, material } = this.object;
    geometry.setAttribute("position", new BufferAttribute(glide.to, 3));
    geometry.setAttribute("origin", new BufferAttribute(glide.from, 3));
    geometry.setAttribute("visibleBefore", new BufferAttribute(glide.start, 1));
    material.uniforms.visibleAfter!.value = glide.end;
    material.uniforms.glided!.value = glide.share;
  }

  /** Moves the points to where they are at `now`. Returns false if they were there already. */
  step(now: number): boolean {
    const { glide } = this;
    if (glide === null) return false;
    if (!glide.step(now)) this.glide = null;
    this.object.material.uniforms.glided!.value = glide.share;
    return true;
  }

  /** Radius of a node's disc in map units. */
  readonly radiusOf = (node: number): number => this.radius * this.sizes[node]!;

  dispose(): void {
    this.object.geometry.dispose();
    this.object.material.dispose();
  }

  private write(name: string, values: Uint8Array): void {
    const attribute = this.object.geometry.getAttribute(name) as BufferAttribute;
    (attribute.array as Uint8Array).set(values);
    attribute.needsUpdate = true;
  }
}
