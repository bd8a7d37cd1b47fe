UNIT_OBJ_test_http_auth = daemon/http_auth.c
UNIT_OBJ_test_http_origin = daemon/http_origin.c
UNIT_OBJ_test_http_text = daemon/http_text.c
