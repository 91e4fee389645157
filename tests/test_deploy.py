"""What `deploy/` hands out is well-formed, agrees with itself, keeps Ray locked, and names commands that exist.

Nothing is started here. `ray up`'s file is read by Ray's own reader and schema. The KubeRay manifests are held to the
part of its API that they use: https://docs.ray.io/en/master/cluster/kubernetes/references/api.html (KubeRay 1.6); a key
that is not below is a misspelling until somebody looks it up there and adds it.
"""

import itertools
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import ecosim
from ecosim.cli import app

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
RAY_UP = DEPLOY / "ray-cluster.yaml"
KUBERAY = {"kuberay-cluster.yaml": "RayCluster", "kuberay-job.yaml": "RayJob"}
RAY_VERSION = "2.60.0"
RUN_AS = 1000


def documents(name: str) -> dict[str, dict]:
    """The documents of a manifest by kind."""
    found = list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))
    by_kind = {document["kind"]: document for document in found}
    assert len(by_kind) == len(found)
    return by_kind


def cluster(name: str) -> dict:
    spec = documents(name)[KUBERAY[name]]["spec"]
    return spec.get("rayClusterSpec", spec)


def groups(name: str) -> list[dict]:
    """Head first, then workers."""
    spec = cluster(name)
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


def pods(name: str) -> list[dict]:
    return [group["template"]["spec"] for group in groups(name)]


def containers(name: str) -> list[dict]:
    return [each for pod in pods(name) for each in (*pod.get("initContainers", []), *pod["containers"])]


manifests = pytest.mark.parametrize("name", KUBERAY)


# ---- structure ------------------------------------------------------------------------------------------------------


def closed(*needed: str, **keys: object) -> dict:
    """An object with these keys only; those that are named first must be there."""
    return {"type": "object", "properties": keys, "required": list(needed), "additionalProperties": False}


def several(item: object) -> dict:
    return {"type": "array", "items": item, "minItems": 1}


TEXT, WHOLE, FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
NAME = {"type": "string", "pattern": "^[a-z]([-a-z0-9]{0,45}[a-z0-9])?$"}  # DNS-1035, and KubeRay's 47 characters
AMOUNT = {"type": "string", "pattern": r"^\d+(m|Mi|Gi)?$"}
RESOURCES = closed(
    "requests", "limits", **dict.fromkeys(["requests", "limits"], closed("cpu", "memory", cpu=AMOUNT, memory=AMOUNT))
)
LOCKED = closed(
    "allowPrivilegeEscalation", "capabilities",
    allowPrivilegeEscalation={"const": False}, capabilities=closed("drop", drop={"const": ["ALL"]}),
)  # fmt: skip
CONTAINER = closed(
    "name", "image", "resources", "securityContext",
    name=NAME, image=TEXT, command=several(TEXT), env=several(closed("name", "value", name=TEXT, value=TEXT)),
    resources=RESOURCES, securityContext=LOCKED,
    volumeMounts=several(closed("name", "mountPath", name=NAME, mountPath=TEXT)),
)  # fmt: skip
NOBODY = closed(
    "runAsNonRoot", "runAsUser", "seccompProfile",
    runAsNonRoot={"const": True}, runAsUser={"const": RUN_AS}, fsGroup={"const": RUN_AS},
    seccompProfile=closed("type", type={"const": "RuntimeDefault"}),
)  # fmt: skip
VOLUME = closed("name", "persistentVolumeClaim", name=NAME, persistentVolumeClaim=closed("claimName", claimName=NAME))
POD = closed(
    "securityContext", "containers",
    automountServiceAccountToken=FLAG, securityContext=NOBODY, initContainers=several(CONTAINER),
    containers=several(CONTAINER), volumes=several(VOLUME),
)  # fmt: skip
TEMPLATE = closed("spec", spec=POD)
CLUSTER = closed(
    "rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs",
    rayVersion=TEXT, authOptions=closed("mode", mode={"const": "token"}), enableInTreeAutoscaling=FLAG,
    autoscalerOptions=closed(
        "resources", "securityContext",
        version={"enum": ["v1", "v2"]}, idleTimeoutSeconds=WHOLE, resources=RESOURCES, securityContext=LOCKED,
    ),
    headGroupSpec=closed("rayStartParams", "template", rayStartParams=TEXTS, template=TEMPLATE),
    workerGroupSpecs=several(closed(
        "groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template",
        groupName=NAME, replicas=WHOLE, minReplicas=WHOLE, maxReplicas=WHOLE, rayStartParams=TEXTS, template=TEMPLATE,
    )),
)  # fmt: skip
JOB = closed(
    "submissionMode", "entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "rayClusterSpec",
    submissionMode={"const": "HTTPMode"}, entrypoint=TEXT, backoffLimit={"type": "integer", "minimum": 1},
    activeDeadlineSeconds={"type": "integer", "minimum": 1}, shutdownAfterJobFinishes={"const": True},
    ttlSecondsAfterFinished=WHOLE, rayClusterSpec=CLUSTER,
)  # fmt: skip
CLAIM = closed(
    "accessModes", "resources",
    accessModes={"const": ["ReadWriteOnce"]}, resources=closed("requests", requests=closed("storage", storage=AMOUNT)),
)  # fmt: skip
SAME_CLUSTER = closed("podSelector", podSelector=closed("matchLabels", matchLabels=TEXTS))
POLICY = closed(
    "podSelector", "policyTypes", "ingress",
    **SAME_CLUSTER["properties"], policyTypes={"const": ["Ingress"]},
    ingress=several(closed("from", **{"from": several(SAME_CLUSTER)})),
)  # fmt: skip
KINDS = {
    "PersistentVolumeClaim": ("v1", CLAIM),
    "NetworkPolicy": ("networking.k8s.io/v1", POLICY),
    "RayCluster": ("ray.io/v1", CLUSTER),
    "RayJob": ("ray.io/v1", JOB),
}


def check(document: dict) -> None:
    """Hold a document to the structure of its kind."""
    jsonschema = pytest.importorskip("jsonschema")
    version, spec = KINDS[document["kind"]]
    whole = closed(
        "apiVersion", "kind", "metadata", "spec",
        apiVersion={"const": version}, kind=TEXT, metadata=closed("name", name=NAME), spec=spec,
    )  # fmt: skip
    jsonschema.validate(document, whole)


def test_all_files_are_there():
    assert {path.name for path in DEPLOY.iterdir()} == {
        "Dockerfile", "Dockerfile.dockerignore", "README.md", RAY_UP.name, *KUBERAY,
    }  # fmt: skip
    assert len(README.splitlines()) <= 120


@manifests
def test_a_manifest_has_the_structure_of_its_kinds(name):
    found = documents(name)
    assert {KUBERAY[name], "PersistentVolumeClaim"} <= set(found)
    for document in found.values():
        check(document)


@manifests
@pytest.mark.parametrize(
    "misspell",
    [
        lambda spec: spec.update(rayversion="2.60.0"),
        lambda spec: spec["authOptions"].update(mode="disabled"),
        lambda spec: spec.pop("authOptions"),
        lambda spec: spec["workerGroupSpecs"][0].update(minReplica=1),
        lambda spec: spec["headGroupSpec"]["template"]["spec"]["containers"][0].pop("resources"),
        lambda spec: spec["headGroupSpec"]["template"]["spec"]["containers"][0]["resources"]["limits"].pop("memory"),
        lambda spec: spec["headGroupSpec"]["template"]["spec"]["securityContext"].update(runAsNonRoot=False),
    ],
)
def test_a_misspelt_or_missing_key_would_be_noticed(name, misspell):
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(json.dumps(documents(name)[KUBERAY[name]]))  # anchors of the file are shared: take them apart
    misspell(document["spec"].get("rayClusterSpec", document["spec"]))
    with pytest.raises(jsonschema.ValidationError):
        check(document)


@pytest.mark.filterwarnings("ignore")  # Ray's, of its own imports
def test_ray_itself_accepts_the_file_for_ray_up():
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load(RAY_UP.read_text(encoding="utf-8"))
    prepared = util.prepare_config(config)
    util.validate_config(prepared)
    assert prepared["max_workers"] == len(config["provider"]["worker_ips"]) == 2
    with pytest.raises(Exception, match="setup_comands"):
        util.validate_config({**prepared, "setup_comands": []})


# ---- what belongs together ------------------------------------------------------------------------------------------


@manifests
def test_what_is_mounted_is_a_volume_and_its_claim_is_made(name):
    found = documents(name)
    claim = found["PersistentVolumeClaim"]["metadata"]["name"]
    head, *workers = pods(name)
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in head["volumes"]] == [claim]
    assert [mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]] == ["/runs"]
    for pod in (head, *workers):
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        assert {mount["name"] for each in pod["containers"] for mount in each.get("volumeMounts", [])} == volumes
    assert not any("volumes" in pod for pod in workers)  # ReadWriteOnce: the driver's alone


@manifests
def test_requests_are_limits_and_what_ray_is_told_agrees(name):
    assert len(containers(name)) == 4
    assert all(each["resources"]["requests"] == each["resources"]["limits"] for each in containers(name))
    for group in groups(name):
        limit = group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
        assert group["rayStartParams"].get("num-cpus", limit) in ("0", limit)
        assert set(group["rayStartParams"]) <= {"num-cpus"}  # memory and GPUs: KubeRay reads the limits
    for group in groups(name)[1:]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    if "autoscalerOptions" not in cluster(name):
        assert all(group["minReplicas"] == group["maxReplicas"] for group in groups(name)[1:])


def test_one_image_one_ray_one_ecosim_everywhere():
    images = {each["image"] for name in KUBERAY for each in containers(name)}
    assert images == {f"registry.example/ecosim:{ecosim.__version__}"}
    assert all(f"--tag {image} ." in text for image in images for text in (README, DOCKERFILE))
    assert {cluster(name)["rayVersion"] for name in KUBERAY} == {RAY_VERSION}
    assert f"\nray=={RAY_VERSION}\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = [set(re.findall(r"ray\[default\]==([\d.]+)", path.read_text())) for path in DEPLOY.iterdir()]
    assert sorted(map(sorted, pinned)) == [[], [], [], [RAY_VERSION], [RAY_VERSION], [RAY_VERSION]]


def test_the_nodes_of_all_clusters_compute_alike():
    wanted = {"MKL_CBWR": "AVX2,STRICT", "ATEN_CPU_CAPABILITY": "avx2"}
    for name in KUBERAY:
        for each in containers(name):
            assert {entry["name"]: entry["value"] for entry in each["env"]} == wanted
    for text in (RAY_UP.read_text(encoding="utf-8"), README):
        assert all(f"{key}={value}" in text for key, value in wanted.items())


def test_the_image_runs_as_the_user_of_the_pods_and_is_made_of_files_that_exist():
    assert f"--uid {RUN_AS} " in DOCKERFILE
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == [str(RUN_AS)]
    assert DOCKERFILE.index("ecosim models fetch") < DOCKERFILE.index("\nUSER ")  # root's: nobody else changes weights
    copied = [word for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    admitted = re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted(admitted)
    assert all((ROOT / each).exists() for each in copied)
    instructions = set(re.findall(r"^([A-Z]+) ", DOCKERFILE, re.MULTILINE))
    assert instructions == {"FROM", "ARG", "RUN", "WORKDIR", "COPY", "ENV", "USER", "CMD"}


# ---- security -------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_any_file():
    for path in DEPLOY.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[0-9a-f]{32,}\b|-----BEGIN", text), path.name
        literal = re.findall(r"(?i)\b(\w*(?:token|secret|password)\w*)[\"']?\s*[:=]\s*[\"']?([^\s\"']+)", text)
        known = {("RAY_AUTH_MODE", "token"), ("mode", "token")}
        for key, value in literal:
            is_reference = value.startswith(("$", "~")) or (key, value) in known or value in ("true", "false")
            assert is_reference, f"{path.name}: {key} = {value}"


def test_rays_doors_have_a_lock():
    config = yaml.safe_load(RAY_UP.read_text(encoding="utf-8"))
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    starts = [
        line
        for line in (*config["head_start_ray_commands"], *config["worker_start_ray_commands"])
        if "ray start" in line
    ]
    assert len(starts) == 2
    assert all(line.startswith(". ~/ecosim/settings.sh && ") for line in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]
    policy = documents("kuberay-cluster.yaml")["NetworkPolicy"]["spec"]
    (rule,) = policy["ingress"]
    assert rule["from"] == [{"podSelector": policy["podSelector"]}]
    assert policy["podSelector"]["matchLabels"] == {
        "ray.io/cluster": documents("kuberay-cluster.yaml")["RayCluster"]["metadata"]["name"]
    }


def test_the_settings_of_ray_up_turn_the_token_on_and_leave_threads_to_ecosim(tmp_path):
    (line,) = [line for line in yaml.safe_load(RAY_UP.read_text())["setup_commands"] if line.startswith("printf")]
    (tmp_path / "ecosim").mkdir()
    token, numerics = "$RAY_AUTH_MODE $RAY_AUTH_TOKEN_PATH", "$MKL_CBWR $ATEN_CPU_CAPABILITY"
    shown = f'echo "{token} {numerics} ${{OMP_NUM_THREADS-not set}} ${{PATH%%:*}}"'
    done = subprocess.run(
        ["bash", "-c", f"{line}; . ~/ecosim/settings.sh; {shown}"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"token {tmp_path}/.ray/auth_token AVX2,STRICT avx2 not set {tmp_path}/ecosim/env/bin"


# ---- commands -------------------------------------------------------------------------------------------------------

WORDS = {"if", "then", "else", "elif", "fi", "do", "done", "{", "}", "!"}


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield shlex.join(value)  # a command in words
        yield from (text for each in value for text in strings(each))


def scripts() -> list[tuple[str, str]]:
    """Every shell text of deploy/, with its file."""
    found = [
        (path.name, text)
        for path in sorted(DEPLOY.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        for text in strings(document)
        if re.search(r"\b(ecosim|ray|pip|test|chmod|printf|python3\.11)\s", text)
    ]
    found += [("README.md", text) for text in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
    lines = DOCKERFILE.replace("\\\n", " ")
    found += [("Dockerfile", text) for text in re.findall(r"^RUN (.*)$", lines, re.MULTILINE)]
    found += [("Dockerfile", shlex.join(json.loads(text))) for text in re.findall(r"^CMD (.*)$", lines, re.MULTILINE)]
    return found


def commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a shell text, as words; also those that `ray job submit --` and `bash -c` are given."""
    text = re.sub(r"\s#.*", "", script.replace("\\\n", " "))
    reader = shlex.shlex(text, posix=True, punctuation_chars=";&|()\n")
    reader.whitespace, reader.whitespace_split, reader.commenters = " \t", True, ""
    current: list[str] = []
    for token in (*reader, ";"):
        if token in WORDS or set(token) <= set(";&|()\n"):
            if current:
                yield from _inner([*itertools.takewhile(lambda word: word != ">", current)])
            current = []
        else:
            current.append(token)


def _inner(words: list[str]) -> Iterator[list[str]]:
    if words[:2] == ["bash", "-c"]:
        yield from commands(words[2])
    elif words[:3] == ["ray", "job", "submit"] and "--" in words:
        cut = words.index("--")
        yield words[:cut]
        yield from _inner(words[cut + 1 :])
    else:
        yield words


def called(program: str) -> list[tuple[str, list[str]]]:
    return [(file, words) for file, text in scripts() for words in commands(text) if words[0] == program]


def understand(command: object, words: list[str]) -> None:
    """Let a command line's own reader read it, to the last option, without running anything."""
    context = None
    while True:
        context = command.make_context(words[0], words[1:], parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not hasattr(command, "get_command"):
            return
        assert rest, f"{' '.join(words)}: names no command"
        following = command.get_command(context, rest[0])
        assert following is not None, f"{' '.join(words)}: there is no command {rest[0]!r}"
        command, words = following, rest


def test_the_reader_of_shell_lines_finds_all_commands():
    script = """if [ -e a ];
        then b c > /dev/null && d; fi
        ray job submit --x y -- \\
          bash -c 'e f; g'  # h
        ray job submit -- i -j"""
    assert list(commands(script)) == [
        ["[", "-e", "a", "]"], ["b", "c"], ["d"], ["ray", "job", "submit", "--x", "y"], ["e", "f"], ["g"],
        ["ray", "job", "submit"], ["i", "-j"],
    ]  # fmt: skip


@pytest.mark.parametrize(("file", "script"), scripts())
def test_a_shell_text_is_one(file, script):
    for shell in (["bash", "-n"], ["sh", "-n"]):
        done = subprocess.run([*shell, "-c", script], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), file


def test_there_are_command_lines_to_check():
    files = {file for file, _ in called("ecosim")}
    assert files == {path.name for path in DEPLOY.iterdir()} - {"Dockerfile.dockerignore"}
    assert {words[1] for _, words in called("ecosim")} == {"run", "resume", "doctor", "models"}
    assert len(called("ray")) >= 8


@pytest.mark.parametrize(("file", "words"), called("ecosim"))
def test_a_command_of_ecosim_exists_with_its_options(file, words):
    understand(get_command(app), words)


def test_who_asks_for_workers_has_a_language_model():
    runs = [words for _, words in called("ecosim") if words[1] == "run"]
    assert len(runs) >= 3
    assert all(option(words, "--mind").endswith("=untrained") for words in runs if "--workers" in words)


@pytest.mark.filterwarnings("ignore")  # Ray's, of its own imports
@pytest.mark.parametrize(("file", "words"), called("ray"))
def test_a_command_of_ray_exists_with_its_options(file, words):
    scripts = pytest.importorskip("ray.scripts.scripts")
    if words[1:3] == ["job", "submit"]:
        words = [*words, "--", "true"]
    understand(scripts.cli, words)


@pytest.mark.parametrize("command", [["ecosim", "rnu", "x"], ["ecosim", "run", "x", "--sedes", "3"], ["ecosim", "run"]])
def test_a_misspelt_command_would_be_noticed(command):
    with pytest.raises(Exception, match=r"rnu|sedes|(?i:scenario)"):
        understand(get_command(app), command)


# ---- the job --------------------------------------------------------------------------------------------------------


def job_lines() -> dict[str, list[str]]:
    """What the entrypoint of the RayJob calls, by subcommand."""
    script = documents("kuberay-job.yaml")["RayJob"]["spec"]["entrypoint"]
    return {words[1]: words for words in commands(script) if words[0] == "ecosim"}


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_a_job_has_room_for_its_helpers_and_writes_to_the_volume():
    lines = job_lines()
    assert set(lines) == {"run", "resume"}
    for words in lines.values():
        assert option(words, "--ray-address") == "auto"
        hosts, workers, threads = (int(option(words, name)) for name in ("--hosts", "--workers", "--threads"))
        (group,) = groups("kuberay-job.yaml")[1:]
        cores = int(group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
        assert workers <= group["replicas"] * ((cores - hosts) // threads)  # wherever Ray puts the hosts
    assert option(lines["run"], "--out") == lines["resume"][2] == "/runs/market"
    assert int(option(lines["run"], "--snapshot-every")) >= 1


@pytest.mark.parametrize(("folder_exists", "expected"), [(False, "run"), (True, "resume")])
def test_a_job_begins_a_run_once_and_then_goes_on_with_it(folder_exists, expected, tmp_path):
    script = documents("kuberay-job.yaml")["RayJob"]["spec"]["entrypoint"].replace("/runs/", f"{tmp_path}/runs/")
    if folder_exists:
        (tmp_path / "runs" / "market").mkdir(parents=True)
        (tmp_path / "runs" / "market" / "manifest.json").write_text("{}")
    fake = tmp_path / "ecosim"
    fake.write_text('#!/bin/sh\necho "$1"\nexit 3\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", script], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == (
        expected,
        3,
    )  # a failure is Ray's to see, so that there is another try
