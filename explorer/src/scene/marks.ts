/** Round marks above the points, each with a colour and a size of its own: one draw call. */
import { BufferAttribute, BufferGeometry, Color, Points, ShaderMaterial } from "three";

export interface RoundMark {
  /** x, y, z in map units. */
  position: number[];
  /** What it means is up to the look. */
  size: number;
  color: Color;
}

/** Expressions of GLSL. */
interface Look {
  /** Diameter in device pixels; from `size`, `depth` (map units from the eye), `pixelsPerUnit` and `pixelRatio`. */
  pixels: string;
  /** Colour and opacity; from `tint`, `background`, `pixelRatio` and `fromEdge`, in device pixels. */
  color: string;
}

export class RoundMarks {
  readonly object: Points<BufferGeometry, ShaderMaterial>;

  constructor(look: Look) {
    const material = new ShaderMaterial({
      vertexShader: /* glsl */ `
        attribute vec3 color;
        attribute float size;
        uniform float pixelsPerUnit;
        uniform float pixelRatio;
        varying vec3 tint;
        varying float diameter;
        void main() {
          vec4 seen = modelViewMatrix * vec4(position, 1.0);
          float depth = max(-seen.z, 0.01);
          tint = color;
          diameter = ${look.pixels};
          gl_PointSize = diameter;
          gl_Position = projectionMatrix * seen;
        }
      `,
      fragmentShader: /* glsl */ `
        uniform vec3 background;
        uniform float pixelRatio;
        varying vec3 tint;
        varying float diameter;
        void main() {
          float fromEdge = (1.0 - length(2.0 * gl_PointCoord - 1.0)) * diameter * 0.5;
          gl_FragColor = ${look.color};
          if (gl_FragColor.a < 0.02) discard;
        }
      `,
      uniforms: { pixelsPerUnit: { value: 1 }, pixelRatio: { value: 1 }, background: { value: new Color() } },
      transparent: true,
      depthTest: false,
    });
    this.object = new Points(new BufferGeometry(), material);
    this.object.frustumCulled = false;
    this.object.visible = false;
  }

  show(marks: RoundMark[], background?: Color): void {
    this.object.geometry.dispose();
    this.object.visible = marks.length > 0;
    const geometry = new BufferGeometry();
    const attribute = (name: string, size: number, of: (mark: RoundMark) => number[]) =>
      geometry.setAttribute(name, new BufferAttribute(Float32Array.from(marks.flatMap(of)), size));
    attribute("position", 3, ({ position }) => position);
    attribute("color", 3, ({ color }) => onScreen(color).toArray());
    attribute("size", 1, ({ size }) => [size]);
    this.object.geometry = geometry;
    if (background) this.object.material.uniforms.background!.value = onScreen(background);
  }

  setViewport(pixelsPerUnit: number, pixelRatio: number): void {
    const { uniforms } = this.object.material;
    uniforms.pixelsPerUnit!.value = pixelsPerUnit * pixelRatio;
    uniforms.pixelRatio!.value = pixelRatio;
  }
}

/** Shader colours are written to the canvas as they are. */
export function onScreen(color: Color): Color {
  return color.clone().convertLinearToSRGB();
}
