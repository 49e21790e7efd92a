"""The only module that touches Blender: builds the scene and renders it with Cycles.

Blender's Python module is imported when a scene is built, never when this file is.
Lengths are centimetres; one Blender unit is one centimetre.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.phantom.hair import Strands
from lab.phantom.head import FloatArray, Part
from lab.phantom.subject import Subject, stream
from lab.phantom.textures import background_picture, skin_albedo
from lab.phantom.visit import Camera, Visit

SENSOR_MM = 36.0


class Scene:
    """One head in front of one wall, ready to be rendered twice.

    Parameters
    ----------
    subject, visit, camera, parts, strands
        What to show.
    skin_map
        Multiplier of the albedo, from `lab.phantom.textures.skin_map`.
    threads
        Render threads.
    """

    def __init__(
        self,
        subject: Subject,
        visit: Visit,
        camera: Camera,
        parts: tuple[Part, ...],
        strands: Strands,
        skin_map: NDArray[np.float32],
        *,
        threads: int = 2,
    ) -> None:
        import bpy

        self._bpy: Any = bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene: Any = bpy.context.scene
        self._solid: list[Any] = []
        self._configure(camera, threads)
        self._add_camera(camera)
        skin = self._skin_material(subject, visit, skin_map)
        cloth = self._cloth_material(visit)
        for part in parts:
            self._add_part(part, cloth if part.name == "shoulders" else skin)
        self._add_backdrop(visit, camera)
        self._hair: Any = self._add_hair(strands)
        self._add_lights(visit, camera)

    def photograph(self, *, samples: int) -> NDArray[np.float32]:
        """Linear radiance (H, W, 3), denoised."""
        cycles = self._scene.cycles
        cycles.samples = samples
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        cycles.denoising_prefilter = "FAST"
        cycles.pixel_filter_type = "BLACKMAN_HARRIS"
        cycles.filter_width = 1.5
        cycles.max_bounces = 4
        cycles.diffuse_bounces = 2
        cycles.glossy_bounces = 3
        cycles.transmission_bounces = 4
        return self._render()

    def hair_fraction(self, *, samples: int = 48) -> NDArray[np.float32]:
        """Share (H, W) of each pixel's square that shows hair, 0-1, from emission alone."""
        white, black = self._emission("white", 1.0), self._emission("black", 0.0)
        for item in self._solid:
            item.data.materials[0] = black
        self._hair.data.materials[0] = white
        for item in list(self._scene.objects):
            if item.type == "LIGHT":
                self._bpy.data.objects.remove(item)
        background = self._scene.world.node_tree.nodes["Background"]
        background.inputs["Strength"].default_value = 0.0
        cycles = self._scene.cycles
        cycles.samples = samples
        cycles.use_denoising = False
        cycles.pixel_filter_type = "BOX"
        cycles.max_bounces = 0
        return np.clip(self._render()[..., 0], 0.0, 1.0)

    def _configure(self, camera: Camera, threads: int) -> None:
        scene = self._scene
        scene.render.engine = "CYCLES"
        scene.render.threads_mode = "FIXED"
        scene.render.threads = threads
        scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
        scene.render.resolution_percentage = 100
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.render.image_settings.color_depth = "32"
        scene.view_settings.view_transform = "Raw"
        scene.cycles.device = "CPU"
        scene.cycles.use_adaptive_sampling = False
        scene.cycles.seed = 1
        scene.cycles.caustics_reflective = False
        scene.cycles.caustics_refractive = False
        scene.cycles.sample_clamp_indirect = 4.0
        scene.cycles_curves.shape = "RIBBONS"
        scene.cycles_curves.subdivisions = 1

    def _add_camera(self, camera: Camera) -> None:
        data = self._bpy.data.cameras.new("camera")
        data.sensor_fit = "HORIZONTAL"
        data.sensor_width = SENSOR_MM
        data.lens = camera.focal_px * SENSOR_MM / camera.width
        data.clip_start, data.clip_end = 1.0, 1000.0
        item = self._link("camera", data)
        item.matrix_world = self._pose(camera.rotation, camera.translation)
        self._scene.camera = item

    def _pose(self, rotation: FloatArray, translation: FloatArray) -> Any:
        """Blender's matrix (camera looks along -z, y up) of a `camera_from_head` pose."""
        from mathutils import Matrix

        flip = np.diag([1.0, -1.0, -1.0])
        pose = np.eye(4)
        pose[:3, :3] = rotation.T @ flip
        pose[:3, 3] = -rotation.T @ translation
        return Matrix(pose.tolist())

    def _link(self, name: str, data: Any) -> Any:
        item = self._bpy.data.objects.new(name, data)
        self._scene.collection.objects.link(item)
        return item

    def _mesh(self, name: str, vertices: FloatArray, triangles: NDArray[np.int64]) -> Any:
        mesh = self._bpy.data.meshes.new(name)
        mesh.vertices.add(len(vertices))
        mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.loops.add(triangles.size)
        mesh.loops.foreach_set("vertex_index", triangles.astype(np.int32).ravel())
        mesh.polygons.add(len(triangles))
        starts = np.arange(0, triangles.size, 3, dtype=np.int32)
        mesh.polygons.foreach_set("loop_start", starts)
        mesh.polygons.foreach_set("use_smooth", np.ones(len(triangles), dtype=bool))
        mesh.update()
        return mesh

    def _add_part(self, part: Part, material: Any) -> None:
        mesh = self._mesh(part.name, part.vertices, part.triangles)
        mesh.materials.append(material)
        self._solid.append(self._link(part.name, mesh))

    def _add_backdrop(self, visit: Visit, camera: Camera) -> None:
        """A wall square to the camera, so that it stays while the head moves."""
        rng = stream(visit.seed, "backdrop")
        half, depth = 70.0, 95.0 + float(stream(visit.background_seed, "depth").uniform(-8, 25))
        centre = np.array([rng.normal(0, 1.2), rng.normal(0, 1.2), depth])
        corners = centre + half * np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0.0]])
        vertices = (corners - camera.translation) @ camera.rotation
        mesh = self._mesh("backdrop", vertices, np.array([[0, 1, 2], [0, 2, 3]]))
        layer = mesh.uv_layers.new(name="uv")
        uv = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1.0]], dtype=np.float32)
        layer.data.foreach_set("uv", uv.ravel())
        picture = background_picture(visit.background, visit.background_seed)
        material, nodes, links, shader = self._material("backdrop")
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = self._image("backdrop", picture)
        texture.extension = "MIRROR"
        links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.8
        mesh.materials.append(material)
        self._solid.append(self._link("backdrop", mesh))

    def _image(self, name: str, picture: NDArray[np.float32]) -> Any:
        height, width = picture.shape[:2]
        image = self._bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
        pixels = np.ones((height, width, 4), dtype=np.float32)
        pixels[..., :3] = picture
        image.pixels.foreach_set(pixels.ravel())
        return image

    def _material(self, name: str) -> tuple[Any, Any, Any, Any]:
        material = self._bpy.data.materials.new(name)
        material.use_nodes = True
        tree = material.node_tree
        return material, tree.nodes, tree.links, tree.nodes["Principled BSDF"]

    def _emission(self, name: str, strength: float) -> Any:
        material, nodes, links, shader = self._material(f"emission-{name}")
        nodes.remove(shader)
        emission = nodes.new("ShaderNodeEmission")
        emission.inputs["Strength"].default_value = strength
        links.new(emission.outputs[0], nodes["Material Output"].inputs["Surface"])
        return material

    def _skin_material(self, subject: Subject, visit: Visit, skin_map: NDArray[np.float32]) -> Any:
        material, nodes, links, shader = self._material("skin")
        coordinates = nodes.new("ShaderNodeTexCoord").outputs["Object"]
        offset = stream(subject.seed, "skin-offset").uniform(-500.0, 500.0, 3)
        colour: Any = self._rgb(nodes, skin_albedo(subject.skin_type))
        dark = subject.skin_type >= 4.0
        blotch = (1.0, 0.72, 0.70) if not dark else (0.72, 0.68, 0.66)
        for scale, strength, tint in (
            (0.28, 0.55, blotch),
            (0.9, 0.45, (0.80, 0.70, 0.66)),
            (2.6, 0.42, (0.74, 0.66, 0.62)),
            (7.0, 0.30, (0.72, 0.64, 0.60)),
        ):
            offset = offset + 37.7
            noise = self._noise(nodes, links, coordinates, offset, scale, detail=2.0)
            ramp = nodes.new("ShaderNodeMapRange")
            ramp.inputs["From Min"].default_value = 0.42
            ramp.inputs["From Max"].default_value = 0.68
            ramp.inputs["To Max"].default_value = min(strength * subject.mottling, 1.0)
            links.new(noise, ramp.inputs["Value"])
            tinted = self._mix(nodes, links, "MULTIPLY", colour, self._rgb(nodes, np.array(tint)))
            colour = self._mix(nodes, links, "MIX", colour, tinted, ramp.outputs["Result"])
        swap = nodes.new("ShaderNodeSeparateXYZ")
        links.new(coordinates, swap.inputs[0])
        join = nodes.new("ShaderNodeCombineXYZ")
        for source, target in (("Y", "X"), ("Z", "Y"), ("X", "Z")):
            links.new(swap.outputs[source], join.inputs[target])
        marks = nodes.new("ShaderNodeTexEnvironment")
        marks.image = self._image("skin", skin_map)
        links.new(join.outputs[0], marks.inputs["Vector"])
        colour = self._mix(nodes, links, "MULTIPLY", colour, marks.outputs["Color"])
        links.new(colour, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.58 - 0.25 * visit.grease
        shader.inputs["Specular IOR Level"].default_value = 0.35 + 0.25 * visit.grease
        bump = nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = 0.35
        bump.inputs["Distance"].default_value = 0.04
        fine = self._noise(nodes, links, coordinates, offset, 11.0, detail=3.0)
        links.new(fine, bump.inputs["Height"])
        links.new(bump.outputs["Normal"], shader.inputs["Normal"])
        return material

    def _rgb(self, nodes: Any, colour: FloatArray) -> Any:
        node = nodes.new("ShaderNodeRGB")
        node.outputs[0].default_value = (*(float(c) for c in colour), 1.0)
        return node.outputs[0]

    def _noise(
        self,
        nodes: Any,
        links: Any,
        coordinates: Any,
        offset: FloatArray,
        scale: float,
        *,
        detail: float,
    ) -> Any:
        shift = nodes.new("ShaderNodeVectorMath")
        shift.operation = "ADD"
        shift.inputs[1].default_value = tuple(float(v) for v in offset)
        links.new(coordinates, shift.inputs[0])
        noise = nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Detail"].default_value = detail
        links.new(shift.outputs[0], noise.inputs["Vector"])
        return noise.outputs["Fac"]

    def _mix(
        self, nodes: Any, links: Any, mode: str, first: Any, second: Any, factor: Any = None
    ) -> Any:
        node = nodes.new("ShaderNodeMixRGB")
        node.blend_type = mode
        node.inputs["Fac"].default_value = 1.0
        if factor is not None:
            links.new(factor, node.inputs["Fac"])
        links.new(first, node.inputs[1])
        links.new(second, node.inputs[2])
        return node.outputs[0]

    def _cloth_material(self, visit: Visit) -> Any:
        rng = stream(int(visit.date.replace("-", "")) + visit.background_seed, "cloth")
        material, nodes, links, shader = self._material("cloth")
        coordinates = nodes.new("ShaderNodeTexCoord").outputs["Object"]
        base = np.clip(rng.uniform(0.02, 0.5) * (1 + rng.normal(0, 0.5, 3)), 0.01, 0.7)
        noise = self._noise(nodes, links, coordinates, rng.uniform(0, 99, 3), 8.0, detail=4.0)
        first, second = self._rgb(nodes, base), self._rgb(nodes, base * 0.6)
        links.new(self._mix(nodes, links, "MIX", first, second, noise), shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.9
        return material

    def _add_hair(self, strands: Strands) -> Any:
        count, points = strands.points.shape[:2]
        hair = self._bpy.data.hair_curves.new("hair")
        if count:
            hair.add_curves([points] * count)
            hair.attributes["position"].data.foreach_set("vector", strands.points.ravel())
            radius = hair.attributes.get("radius") or hair.attributes.new(
                "radius", "FLOAT", "POINT"
            )
            radius.data.foreach_set("value", strands.radius_cm.ravel())
            for name, values in (("melanin", strands.melanin), ("redness", strands.redness)):
                attribute = hair.attributes.new(name, "FLOAT", "CURVE")
                attribute.data.foreach_set("value", values.astype(np.float32))
        hair.materials.append(self._hair_material())
        return self._link("hair", hair)

    def _hair_material(self) -> Any:
        material, nodes, links, shader = self._material("hair")
        nodes.remove(shader)
        bsdf = nodes.new("ShaderNodeBsdfHairPrincipled")
        bsdf.parametrization = "MELANIN"
        bsdf.inputs["Roughness"].default_value = 0.32
        bsdf.inputs["Radial Roughness"].default_value = 0.4
        bsdf.inputs["Random Roughness"].default_value = 0.2
        for name, socket in (("melanin", "Melanin"), ("redness", "Melanin Redness")):
            attribute = nodes.new("ShaderNodeAttribute")
            attribute.attribute_type = "GEOMETRY"
            attribute.attribute_name = name
            links.new(attribute.outputs["Fac"], bsdf.inputs[socket])
        links.new(bsdf.outputs[0], nodes["Material Output"].inputs["Surface"])
        return material

    def _add_lights(self, visit: Visit, camera: Camera) -> None:
        """Main light and ambient; the flash sits beside the lens."""
        world = self._bpy.data.worlds.new("world")
        self._scene.world = world
        world.use_nodes = True
        ambient = world.node_tree.nodes["Background"]
        warm = np.array([1.0 + 0.10 * visit.warmth, 1.0, 1.0 - 0.14 * visit.warmth])
        azimuth = np.radians(visit.light_azimuth_deg)
        # size (cm), power (W), distance (cm), ambient, height above the lens axis
        size, power, distance, level, height = {
            "room": (60.0, 55_000.0, 130.0, 0.55, 0.9),
            "window": (110.0, 80_000.0, 140.0, 0.30, 0.25),
            "flash": (3.0, 20_000.0, 0.0, 0.22, 0.0),
            "overcast": (200.0, 40_000.0, 180.0, 1.0, 0.8),
        }[visit.light]
        ambient.inputs["Color"].default_value = (*(float(c) for c in warm), 1.0)
        ambient.inputs["Strength"].default_value = level
        if visit.light == "flash":
            place = np.array([1.5, -3.0, 0.0])
        else:
            across = np.sin(azimuth) * (1.0 if height < 0.5 else 0.7)
            towards = np.array([across, -height, -0.75 * np.cos(azimuth)])
            towards /= np.linalg.norm(towards)
            place = np.array([0, 0, visit.distance_cm]) + distance * towards
        target = np.array([0.0, 0.0, visit.distance_cm])
        self._area_light(place, target, size, power, warm, camera)

    def _area_light(
        self,
        place: FloatArray,
        target: FloatArray,
        size: float,
        power: float,
        colour: FloatArray,
        camera: Camera,
    ) -> None:
        """An area light at `place`, facing `target`, both in the camera's frame (cm)."""
        data = self._bpy.data.lights.new("main", "AREA")
        data.size, data.energy = size, power
        data.color = tuple(float(c) for c in colour)
        item = self._link("main", data)
        forward = (target - place) / np.linalg.norm(target - place)
        side = np.cross([0.0, 1.0, 0.0], forward)
        if np.linalg.norm(side) < 1e-3:
            side = np.array([1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        local = np.stack([side, np.cross(forward, side), forward])
        rotation = local @ camera.rotation
        position = camera.rotation.T @ (place - camera.translation)
        item.matrix_world = self._pose(rotation, -rotation @ position)

    def _render(self) -> NDArray[np.float32]:
        scene = self._scene
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "render.exr"
            scene.render.filepath = str(path)
            self._bpy.ops.render.render(write_still=True)
            image = self._bpy.data.images.load(str(path))
            width, height = image.size
            pixels = np.empty(width * height * 4, dtype=np.float32)
            image.pixels.foreach_get(pixels)
            self._bpy.data.images.remove(image)
        return pixels.reshape(height, width, 4)[::-1, :, :3].copy()
