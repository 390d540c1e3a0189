"""PostgreSQL's own functions that change neither a table nor what the server holds, however they are called."""

from migrations.sql.volatility import STEADY, VOLATILE

READ = frozenset(
    """
    abbrev abs aclexplode acos acosd acosh age any_value array_agg array_append array_cat array_dims array_fill
    array_length array_lower array_ndims array_position array_positions array_prepend array_remove array_replace
    array_reverse array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asin atan atan2 avg
    bit_and bit_count bit_length bit_or bit_xor bool_and bool_or btrim cardinality casefold cbrt ceil ceiling
    char_length character_length chr coalesce col_description concat concat_ws convert convert_from convert_to corr
    cos cot count covar_pop covar_samp crc32 crc32c cume_dist current_database current_schema current_schemas
    current_setting date_add date_bin date_part date_subtract date_trunc decode degrees dense_rank div encode
    enum_first enum_last enum_range every exp extract factorial family first_value floor format format_type gcd
    generate_series generate_subscripts get_bit get_byte greatest has_any_column_privilege has_column_privilege
    has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege
    has_type_privilege hashtext hashtextextended host hostmask inet_client_addr inet_merge inet_same_family
    inet_server_addr initcap is_normalized isempty isfinite json_agg json_array_elements json_array_elements_text
    json_array_length json_build_array json_build_object json_each json_each_text json_extract_path
    json_extract_path_text json_object json_object_agg json_object_agg_strict json_object_keys json_populate_record
    json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_agg
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_concat jsonb_delete jsonb_each jsonb_each_text jsonb_exists jsonb_extract_path jsonb_extract_path_text
    jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_match
    jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset
    jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof
    justify_days justify_hours justify_interval lag last_value lcm lead least left length ln log log10 lower
    lower_inc lower_inf lpad ltrim make_date make_interval make_time make_timestamp make_timestamptz masklen max
    md5 min min_scale mod mode multirange netmask network normalize now nth_value ntile nullif num_nonnulls
    num_nulls obj_description octet_length overlaps overlay parse_ident percent_rank percentile_cont
    percentile_disc pg_backend_pid pg_client_encoding pg_column_is_updatable pg_column_size pg_current_xact_id
    pg_current_xact_id_if_assigned pg_database_size pg_describe_object pg_function_is_visible pg_get_constraintdef
    pg_get_expr pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result
    pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_partition_constraintdef pg_get_partkeydef
    pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef pg_get_triggerdef pg_get_userbyid pg_get_viewdef
    pg_has_role pg_indexes_size pg_input_is_valid pg_is_in_recovery pg_is_other_temp_schema pg_my_temp_schema
    pg_opclass_is_visible pg_operator_is_visible pg_partition_ancestors pg_partition_root pg_partition_tree
    pg_postmaster_start_time pg_relation_filenode pg_relation_is_publishable pg_relation_size pg_size_bytes
    pg_size_pretty pg_stat_get_live_tuples pg_table_is_visible pg_table_size pg_total_relation_size
    pg_trigger_depth pg_type_is_visible pg_typeof phraseto_tsquery pi plainto_tsquery position power quote_ident
    quote_literal quote_nullable radians range_agg range_intersect_agg range_merge rank regexp_count regexp_instr
    regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    regexp_substr repeat replace reverse right round row_number row_security_active row_to_json rpad rtrim scale
    session_user setweight sha224 sha256 sha384 sha512 shobj_description sign sin split_part sqrt starts_with
    statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos
    substr substring sum tan to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass
    to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
    to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trim_array trim_scale trunc
    ts_headline ts_rank ts_rank_cd tsvector_to_array txid_current txid_current_if_assigned unistr unnest upper
    upper_inc upper_inf uuid_extract_timestamp uuid_extract_version var_pop var_samp variance version
    websearch_to_tsquery width_bucket xmlagg xmlcomment xpath xpath_exists
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)

ACT = frozenset(
    """
    array_sample array_shuffle clock_timestamp currval gen_random_uuid lastval nextval pg_advisory_lock
    pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
    pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_notify pg_sleep pg_sleep_for pg_sleep_until
    pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock random random_normal set_config
    setseed setval timeofday uuidv4 uuidv7
    """.split()  # noqa: SIM905
)
"""Numbers, locks and words that no rule is about."""

HARMLESS = READ | ACT | STEADY | VOLATILE
