"""A config against config/schema.yaml: sentences that say what is wrong, where, and what is allowed."""

import difflib
import math
from pathlib import Path


def schema_faults(config: dict, schema_file: Path) -> list[str]:
    """Sentences for every place where the config breaks the schema."""
    import yaml
    from jsonschema import Draft202012Validator, validators

    schema = yaml.safe_load(schema_file.read_text())
    # JSON Schema takes 8.0 for an integer, and YAML's .inf and .nan for numbers
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: _is_whole(value))
    types = types.redefine("number", lambda _, value: _is_whole(value) or _is_finite(value))
    validator = validators.extend(Draft202012Validator, type_checker=types)(schema)
    faults = []
    found = [single for error in validator.iter_errors(config) for single in _unfolded(error)]
    for error in sorted(found, key=lambda e: [str(p) for p in e.absolute_path]):
        key = ".".join(str(part) for part in error.absolute_path)
        if error.validator == "additionalProperties":
            allowed = error.schema["properties"]
            for name in error.instance.keys() - allowed.keys():
                faults.append(
                    f"{_join(key, name)}: unknown key{did_you_mean(str(name), allowed)}; allowed: {', '.join(allowed)}"
                )
        elif error.validator == "required":
            for name in set(error.validator_value) - set(error.instance):
                meaning = error.schema["properties"][name].get("description", "a section")
                fault = f"{_join(key, name)}: missing ({meaning})"
                if fault not in faults:
                    faults.append(fault)
        elif error.validator == "oneOf":
            faults.append(f"{key}: {error.instance!r} is none of its choices ({error.schema['description']})")
        elif error.validator == "enum":
            options = [str(option) for option in error.validator_value]
            faults.append(
                f"{key}: {error.instance!r} is not one of {', '.join(options)}"
                f"{did_you_mean(str(error.instance), options)}"
            )
        elif "propertyNames" in error.absolute_schema_path:
            hint = f'; write it in quotes, "{error.instance}"' if isinstance(error.instance, int | float) else ""
            faults.append(f"{key}: {error.instance!r} is no name (letters, digits and _ . -){hint}")
        elif error.validator == "pattern" and error.schema.get("description") and key != "name":
            faults.append(f"{key}: {error.instance!r} cannot be read ({error.schema['description']})")
        elif error.validator == "pattern" or (error.validator == "type" and error.validator_value == "string"):
            hint = f'; write it in quotes, "{error.instance}"' if isinstance(error.instance, int | float) else ""
            faults.append(
                f"{key}: {error.instance!r} is not a plain number in quotes{hint}"
                if key != "name"
                else f"name: {error.message}"
            )
        else:
            meaning = error.schema.get("description", "")
            faults.append(f"{key}: {error.message}{f' ({meaning})' if meaning else ''}")
    return faults


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _unfolded(error) -> list:
    """Of an error in a choice (oneOf) those of the alternative that a section can only have meant; else the error."""
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        sections = [k for k, option in enumerate(error.validator_value) if option.get("type") == "object"]
        return [inner for inner in error.context if [inner.schema_path[0]] == sections] or [error]
    return [error]


def did_you_mean(name: str, allowed) -> str:
    near = difflib.get_close_matches(name, [str(a) for a in allowed], n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)
