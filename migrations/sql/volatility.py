"""Functions in a default: whether the server works it out once for all rows that are there, or anew for each."""

from collections.abc import Iterable

VOLATILE = frozenset(
    """
    array_sample array_shuffle clock_timestamp currval gen_random_bytes gen_random_uuid gen_salt gen_uuid_v7 lastval
    nextval random random_normal setval timeofday uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4
    uuid_generate_v7 uuidv4 uuidv7
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)

STEADY = frozenset(
    """
    abs age array_append array_cat array_fill array_length array_prepend array_to_json array_to_string ascii box
    btrim ceil ceiling char_length character_length chr circle concat concat_ws convert_from convert_to
    current_database current_schema current_schemas current_setting date date_bin date_part date_trunc daterange
    decode digest div encode exp extract floor format gcd hashtext host inet_client_addr inet_server_addr initcap
    int4multirange int4range int8multirange int8range json_build_array json_build_object json_object json_typeof
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_object jsonb_path_query_array jsonb_set
    jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval left length line ln log lower lpad
    lseg ltrim make_date make_interval make_time make_timestamp make_timestamptz md5 mod now nummultirange numrange
    octet_length overlay path pg_backend_pid pg_client_encoding pg_current_xact_id pi plainto_tsquery point polygon
    position power quote_ident quote_literal quote_nullable range_merge regexp_match regexp_replace repeat replace
    reverse right round row_to_json rpad rtrim setweight sha224 sha256 sha384 sha512 sign split_part sqrt
    statement_timestamp string_to_array strip strpos substr substring timezone to_ascii to_char to_date to_hex
    to_json to_jsonb to_number to_regclass to_timestamp to_tsquery to_tsvector transaction_timestamp translate trunc
    tsmultirange tsrange tstzmultirange tstzrange txid_current upper uuid_generate_v3 uuid_generate_v5 uuid_nil
    uuid_ns_dns uuid_ns_oid uuid_ns_url uuid_ns_x500 version websearch_to_tsquery
    """.split()  # noqa: SIM905
)


def volatile(calls: Iterable[str]) -> tuple[str, ...]:
    """The functions among these that are certainly volatile."""
    return tuple(name for name in dict.fromkeys(calls) if name in VOLATILE)


def unknown(calls: Iterable[str]) -> tuple[str, ...]:
    """Those of which it is not known; the server takes them for volatile unless they are declared otherwise."""
    return tuple(name for name in dict.fromkeys(calls) if name not in VOLATILE and name not in STEADY)
