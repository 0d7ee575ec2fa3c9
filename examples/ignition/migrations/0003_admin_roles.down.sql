DROP TABLE admin_role_grants;
DROP TABLE admin_roles;
