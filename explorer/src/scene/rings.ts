/** Rings around the selected feature and the one under the pointer. */
import { BufferAttribute, BufferGeometry, type Color, Points, ShaderMaterial, type Vector3 } from "three";
import { LARGEST } from "./points";

export interface Ring {
  position: Vector3;
  /** Of the disc that it surrounds, in map units. */
  radius: number;
  color: Color;
}

export class Rings {
  readonly object: Points<BufferGeometry, ShaderMaterial>;

  constructor() {
    const material = new ShaderMaterial({
      vertexShader: /* glsl */ `
        attribute vec3 tint;
        attribute float pointRadius;
        uniform float pixelsPerUnit;
        uniform float pixelRatio;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          vec4 seen = modelViewMatrix * vec4(position, 1.0);
          float plain = 3.0 * pointRadius * pixelsPerUnit / max(-seen.z, 0.01);
          vSize = plain / (1.0 + plain / (${LARGEST}.0 * pixelRatio)) + 11.0 * pixelRatio;
          gl_PointSize = vSize;
          vTint = tint;
          gl_Position = projectionMatrix * seen;
        }
      `,
      fragmentShader: /* glsl */ `
        uniform float pixelRatio;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          float fromEdge = (1.0 - length(2.0 * gl_PointCoord - 1.0)) * vSize * 0.5;
          float ring = smoothstep(0.0, pixelRatio, fromEdge) * (1.0 - smoothstep(2.0 * pixelRatio, 3.0 * pixelRatio, fromEdge));
          if (ring < 0.02) discard;
          gl_FragColor = vec4(vTint, ring);
        }
      `,
      uniforms: { pixelsPerUnit: { value: 1 }, pixelRatio: { value: 1 } },
      transparent: true,
      depthTest: false,
    });
    this.object = new Points(new BufferGeometry(), material);
    this.object.frustumCulled = false;
    this.object.renderOrder = 3;
    this.object.visible = false;
  }

  show(rings: Ring[]): void {
    this.object.geometry.dispose();
    this.object.visible = rings.length > 0;
    if (rings.length === 0) return;
    const geometry = new BufferGeometry();
    const flat = (values: number[][]) => new Float32Array(values.flat());
    geometry.setAttribute(
      "position",
      new BufferAttribute(flat(rings.map((ring) => ring.position.toArray())), 3),
    );
    geometry.setAttribute("pointRadius", new BufferAttribute(flat(rings.map((ring) => [ring.radius])), 1));
    const tints = flat(rings.map((ring) => ring.color.clone().convertLinearToSRGB().toArray()));
    geometry.setAttribute("tint", new BufferAttribute(tints, 3));
    this.object.geometry = geometry;
  }

  setViewport(pixelsPerUnit: number, pixelRatio: number): void {
    this.object.material.uniforms.pixelsPerUnit!.value = pixelsPerUnit * pixelRatio;
    this.object.material.uniforms.pixelRatio!.value = pixelRatio;
  }
}
