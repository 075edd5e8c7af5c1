"""The policy rules as data: the peer's names and both its default sets, so that an existing policy.yaml works.

What Roost adds to the API has rules of its own, named `roost:…`.

The new defaults are the check strings here; the old set is what they replace, and oslo.policy lets both pass as long
as `[oslo_policy]enforce_new_defaults` is off.
"""

import copy

from oslo_policy import policy

_OLD = policy.DeprecatedRule(
    name="rule:admin_api",
    check_str="role:admin",
    deprecated_reason="Roles with a scope take the place of the global administrator.",
    deprecated_since="Wallaby",
)
_PROJECT = ["project"]
_ADMIN_OR_SERVICE = "rule:admin_or_service_api"


def _base(name: str, check: str, description: str, *, scoped: bool = True) -> policy.RuleDefault:
    return policy.RuleDefault(
        name,
        check,
        description=description,
        scope_types=_PROJECT if scoped else None,
        deprecated_rule=None if name == "admin_api" else _OLD,
    )


_BASES = [
    _base("admin_api", "role:admin", "The administrator."),
    _base("service_api", "role:service", "Another service."),
    _base("admin_or_service_api", "role:admin or role:service", "The administrator or another service."),
    _base(
        "project_reader_api",
        "role:reader and project_id:%(project_id)s",
        "Who may read what belongs to the project.",
        scoped=False,
    ),
    _base(
        "admin_or_project_reader_or_service_api",
        "role:admin or rule:project_reader_api or role:service",
        "The administrator, another service, or who may read what belongs to the project.",
    ),
]

_PROVIDER = "/resource_providers/{uuid}"
_INVENTORIES = f"{_PROVIDER}/inventories"
_INVENTORY = f"{_INVENTORIES}/{{resource_class}}"


def _rule(
    name: str, description: str, *operations: str, check: str = _ADMIN_OR_SERVICE
) -> policy.DocumentedRuleDefault:
    pairs = (operation.split(" ") for operation in operations)
    return policy.DocumentedRuleDefault(
        name,
        check,
        description,
        [{"method": method, "path": path} for method, path in pairs],
        scope_types=_PROJECT,
    )


_DOCUMENTED = [
    _rule("placement:resource_providers:list", "List resource providers.", "GET /resource_providers"),
    _rule("placement:resource_providers:create", "Make a resource provider.", "POST /resource_providers"),
    _rule("placement:resource_providers:show", "Show a resource provider.", f"GET {_PROVIDER}"),
    _rule("placement:resource_providers:update", "Rename or move a resource provider.", f"PUT {_PROVIDER}"),
    _rule("placement:resource_providers:delete", "Delete a resource provider.", f"DELETE {_PROVIDER}"),
    _rule("placement:resource_classes:list", "List resource classes.", "GET /resource_classes"),
    _rule("placement:resource_classes:create", "Make a resource class.", "POST /resource_classes"),
    _rule("placement:resource_classes:show", "Show a resource class.", "GET /resource_classes/{name}"),
    _rule("placement:resource_classes:update", "Make or rename a resource class.", "PUT /resource_classes/{name}"),
    _rule("placement:resource_classes:delete", "Delete a resource class.", "DELETE /resource_classes/{name}"),
    _rule("placement:resource_providers:inventories:list", "List inventories.", f"GET {_INVENTORIES}"),
    _rule("placement:resource_providers:inventories:create", "Add an inventory.", f"POST {_INVENTORIES}"),
    _rule("placement:resource_providers:inventories:show", "Show an inventory.", f"GET {_INVENTORY}"),
    _rule(
        "placement:resource_providers:inventories:update",
        "Replace one inventory or all.",
        f"PUT {_INVENTORIES}",
        f"PUT {_INVENTORY}",
    ),
    _rule(
        "placement:resource_providers:inventories:delete",
        "Delete one inventory or all.",
        f"DELETE {_INVENTORIES}",
        f"DELETE {_INVENTORY}",
    ),
    _rule("placement:resource_providers:aggregates:list", "List aggregates.", f"GET {_PROVIDER}/aggregates"),
    _rule("placement:resource_providers:aggregates:update", "Replace aggregates.", f"PUT {_PROVIDER}/aggregates"),
    _rule("placement:resource_providers:usages", "Show a provider's usages.", f"GET {_PROVIDER}/usages"),
    _rule(
        "placement:usages",
        "Show what a project holds in all.",
        "GET /usages",
        check="rule:admin_or_project_reader_or_service_api",
    ),
    _rule("placement:traits:list", "List traits.", "GET /traits"),
    _rule("placement:traits:show", "Show a trait.", "GET /traits/{name}"),
    _rule("placement:traits:update", "Make a trait.", "PUT /traits/{name}"),
    _rule("placement:traits:delete", "Delete a trait.", "DELETE /traits/{name}"),
    _rule("placement:resource_providers:traits:list", "List a provider's traits.", f"GET {_PROVIDER}/traits"),
    _rule("placement:resource_providers:traits:update", "Replace a provider's traits.", f"PUT {_PROVIDER}/traits"),
    _rule("placement:resource_providers:traits:delete", "Take away a provider's traits.", f"DELETE {_PROVIDER}/traits"),
    _rule("placement:allocations:manage", "Set allocations of several consumers.", "POST /allocations"),
    _rule("placement:allocations:list", "Show a consumer's allocations.", "GET /allocations/{consumer_uuid}"),
    _rule("placement:allocations:update", "Set a consumer's allocations.", "PUT /allocations/{consumer_uuid}"),
    _rule("placement:allocations:delete", "Delete a consumer's allocations.", "DELETE /allocations/{consumer_uuid}"),
    _rule(
        "placement:resource_providers:allocations:list",
        "Show a provider's allocations.",
        f"GET {_PROVIDER}/allocations",
    ),
    _rule("placement:allocation_candidates:list", "Search for allocation candidates.", "GET /allocation_candidates"),
    _rule(
        "roost:candidates:explain",
        "Tell why a search for candidates finds what it finds.",
        "GET /roost/candidates/explain",
    ),
    _rule("roost:candidates:fit", "Count how often a request would fit.", "GET /roost/candidates/fit"),
    _rule(
        "roost:openapi:show",
        "Show the description of the API.",
        "GET /roost/openapi.json",
        check="@",
    ),
    _rule(
        "placement:reshaper:reshape", "Move inventories and allocations.", "POST /reshaper", check="rule:service_api"
    ),
]


def defaults() -> list[policy.RuleDefault]:
    """Every rule with its default; freshly made, because oslo.policy changes what it is given."""
    return copy.deepcopy([*_BASES, *_DOCUMENTED])


def documented() -> tuple[policy.DocumentedRuleDefault, ...]:
    """The rules that guard operations, with what each is for."""
    return tuple(_DOCUMENTED)
